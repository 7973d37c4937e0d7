"use strict";
// What every page of ours has in common: a choice of colours.
(() => {
  const schemes = ["automatic", "light", "dark"];
  const button = document.getElementById("scheme");
  button.hidden = false;
  button.addEventListener("click", () => {
    const root = document.documentElement;
    const next = schemes[(schemes.indexOf(root.dataset.scheme || "automatic") + 1) % 3];
    root.dataset.scheme = next;
    button.textContent = "Colours: " + next;
  });
})();
