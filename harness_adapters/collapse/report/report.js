"use strict";
// Without this file the page says all it has to say; it adds filters and a choice of colours.
(() => {
  const form = document.getElementById("filters");
  if (form) filterBy(form);
  openForPrint();

  function filterBy(form) {
    const cases = [...document.querySelectorAll("article.case")];
    const shown = document.getElementById("shown");
    const nothing = document.getElementById("nothing");
    const words = new Map();

    function text(card) {
      if (!words.has(card)) words.set(card, folded(card.textContent));
      return words.get(card);
    }

    function folded(text) {
      return text.normalize("NFKC").toLowerCase().replace(/\s+/g, " ").trim();
    }

    function update() {
      const chosen = [...form.querySelectorAll("select")].filter((select) => select.value !== "");
      const wanted = folded(form.elements.namedItem("words").value);
      let count = 0;
      for (const card of cases) {
        const fits =
          chosen.every((one) => card.getAttribute("data-" + one.name).includes(` ${one.value} `)) &&
          (wanted === "" || text(card).includes(wanted));
        card.hidden = !fits;
        if (fits) count += 1;
      }
      shown.textContent = `${count} of ${cases.length} shown`;
      nothing.hidden = count > 0;
    }

    form.hidden = false;
    form.addEventListener("input", update);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(update));
    update(); // a browser may have kept the fields over a reload
  }

  function openForPrint() {
    let opened = [];
    addEventListener("beforeprint", () => {
      opened = [...document.querySelectorAll("details:not([open])")];
      for (const one of opened) one.open = true;
    });
    addEventListener("afterprint", () => {
      for (const one of opened) one.open = false;
    });
  }
})();
