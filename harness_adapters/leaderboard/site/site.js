"use strict";
// Without this file the pages say all they have to say; it adds filters, sorting, a choice of
// colours and buttons that copy.
(() => {
  const form = document.getElementById("filters");
  if (form) {
    sortable(document.getElementById("board"));
    filterBy(form);
  }
  for (const button of document.querySelectorAll("button.copy")) copyBy(button);

  function sortable(table) {
    const heads = [...table.tHead.rows[0].cells];
    for (const head of heads) {
      const button = document.createElement("button");
      button.type = "button";
      const name = head.querySelector(".name");
      name.replaceWith(button);
      button.append(name);
      button.addEventListener("click", () => sortBy(head));
    }

    function sortBy(head) {
      const seen = head.getAttribute("aria-sort");
      const first = "down" in head.dataset ? "descending" : "ascending";
      const other = first === "ascending" ? "descending" : "ascending";
      const order = seen === first ? other : first;
      for (const one of heads) one.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", order);
      for (const body of table.tBodies) {
        const rows = [...body.querySelectorAll("tr.run")];
        const place = heads.indexOf(head);
        const text = "text" in head.dataset;
        rows.sort((a, b) => compared(a.cells[place], b.cells[place], text, order));
        body.append(...rows);
      }
    }

    function compared(a, b, text, order) {
      const [one, other] = [a.dataset.sort, b.dataset.sort];
      // what is undefined comes last, whichever way
      if (one === "" || other === "") return (one === "") - (other === "");
      const sign = order === "ascending" ? 1 : -1;
      return sign * (text ? one.localeCompare(other, "en") : Number(one) - Number(other));
    }
  }

  function filterBy(form) {
    const bodies = [...document.querySelectorAll("tbody.board")];
    const rows = bodies.flatMap((body) => [...body.querySelectorAll("tr.run")]);
    const shown = document.getElementById("shown");
    const nothing = document.getElementById("nothing");
    const fields = [...form.querySelectorAll("select, input")];

    function folded(text) {
      return text.normalize("NFKC").toLowerCase().replace(/\s+/g, " ").trim();
    }

    function fits(row) {
      const body = row.parentElement;
      return fields.every((field) => {
        if (field.value === "") return true;
        if (field.name === "model") return folded(row.dataset.model).includes(folded(field.value));
        return (row.dataset[field.name] ?? body.dataset[field.name]) === field.value;
      });
    }

    function update() {
      let count = 0;
      for (const row of rows) {
        row.hidden = !fits(row);
        if (!row.hidden) count += 1;
      }
      for (const body of bodies) body.hidden = !body.querySelector("tr.run:not([hidden])");
      shown.textContent = `${count} of ${rows.length} runs shown`;
      nothing.hidden = count > 0;
    }

    function remember() {
      const chosen = new URLSearchParams();
      for (const field of fields) if (field.value !== "") chosen.set(field.name, field.value);
      const address = location.href.split("#")[0];
      history.replaceState(null, "", chosen.size ? `${address}#${chosen}` : address);
    }

    function recall() {
      const hash = location.hash.slice(1);
      const chosen = new URLSearchParams(hash.includes("=") ? hash : "");
      if (hash && !hash.includes("=")) return; // a link to a place on the page
      for (const field of fields) {
        const value = chosen.get(field.name) ?? "";
        const known = field.tagName !== "SELECT" || [...field.options].some((it) => it.value === value);
        field.value = known ? value : "";
      }
    }

    form.hidden = false;
    form.addEventListener("input", () => (update(), remember()));
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(() => (update(), remember())));
    addEventListener("hashchange", () => (recall(), update()));
    recall();
    update();
  }

  function copyBy(button) {
    const text = button.parentElement.querySelector("code");
    button.hidden = false;
    button.addEventListener("click", async () => {
      let copied = true;
      try {
        await navigator.clipboard.writeText(text.textContent);
      } catch {
        getSelection().selectAllChildren(text); // a page from a disk may not have a clipboard
        copied = document.execCommand("copy");
      }
      button.textContent = copied ? "Copied" : "Selected: copy it now";
      setTimeout(() => (button.textContent = "Copy"), 4000);
    });
  }
})();
