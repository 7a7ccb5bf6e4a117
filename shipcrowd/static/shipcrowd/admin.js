// A list of choices that is searched has the name of its label, for those who hear the page.
function nameLists() {
  for (const list of document.querySelectorAll(".select2-selection[aria-labelledby]")) {
    const choice = list.closest(".select2-container")?.previousElementSibling;
    const label = choice?.labels?.[0]?.textContent.trim() || choice?.getAttribute("aria-label");
    if (!label) continue;
    for (const part of [list, list.querySelector("[role=textbox]")]) {
      part?.removeAttribute("aria-labelledby");
      part?.setAttribute("aria-label", label);
    }
  }
}

// The box in a list of which several are chosen. Its cross is for the mouse: keys take them out.
function nameLongLists() {
  for (const box of document.querySelectorAll(".select2-search--inline input:not([aria-label])")) {
    const choice = box.closest(".select2-container")?.previousElementSibling;
    const label = choice?.labels?.[0]?.textContent.trim() || choice?.getAttribute("aria-label");
    if (label) box.setAttribute("aria-label", label);
  }
  for (const cross of document.querySelectorAll("ul > .select2-selection__clear"))
    cross.setAttribute("aria-hidden", "true");
}

// The box of Ctrl + K has no label of its own.
function nameBox() {
  document.querySelector("#search-input-command:not([aria-label])")?.setAttribute("aria-label", "Find a shipment or a page");
  document.querySelector("#command-submit:not([aria-label])")?.setAttribute("aria-label", "Find");
}

function nameAll() {
  nameLists();
  nameLongLists();
  nameBox();
}

// The lists are made by a script that may run after the page has loaded.
new MutationObserver(nameAll).observe(document.documentElement, {
  childList: true,
  subtree: true,
});
