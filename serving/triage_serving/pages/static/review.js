// Comfort only: every page works without it.
"use strict";
document.documentElement.classList.add("has-script");

const form = document.querySelector("form[data-live]");
if (form) {
  form.addEventListener("change", () => form.requestSubmit());
}

const links = Array.from(document.querySelectorAll("table.list th.name a"));
document.addEventListener("keydown", (event) => {
  const inField = event.target.closest("input, select, textarea");
  if (inField || event.ctrlKey || event.metaKey || event.altKey) {
    return;
  }
  const search = document.querySelector("input[type=search]");
  if (event.key === "/" && search) {
    event.preventDefault();
    search.focus();
  } else if ((event.key === "j" || event.key === "k") && links.length) {
    const at = links.indexOf(document.activeElement);
    const next = event.key === "j" ? Math.min(at + 1, links.length - 1) : Math.max(at - 1, 0);
    links[next].focus();
  }
});
