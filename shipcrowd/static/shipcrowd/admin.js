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

// What only a mouse could press is a button of the keyboard, too: filters, menus, the sidebar.
const PRESSED = "[x-on\\:click]:not(a[href], button, input, label, select, textarea, [tabindex])";
const REACHED = "a[href], button, input:not([type=hidden]), select, textarea, [tabindex]";
const SIDEBAR = "[x-on\\:click^=sidebar]";

function reachByKeys() {
  for (const part of document.querySelectorAll(PRESSED)) {
    if (!part.textContent.trim() || part.querySelector(REACHED)) continue;
    part.setAttribute("role", "button");
    part.setAttribute("tabindex", "0");
    if (part.matches(SIDEBAR)) part.setAttribute("aria-label", "Show or hide the sidebar");
  }
}

// The filters open elsewhere on the page: the keyboard goes there, and back once they are closed.
const FILTERS = "[role=button][x-on\\:click='filterOpen = true']";

function enterFilters() {
  setTimeout(() => document.querySelector("#changelist-filter")?.querySelector(REACHED)?.focus(), 50);
}

document.addEventListener("keydown", (event) => {
  const part = event.target;
  if (event.key === "Escape" && part.closest?.("#changelist-filter"))
    setTimeout(() => document.querySelector(FILTERS)?.focus(), 50);
  if (!part.matches?.("[role=button][x-on\\:click]:not(button)")) return;
  if (event.key !== "Enter" && event.key !== " ") return;
  event.preventDefault();
  part.click();
  if (part.matches(FILTERS)) enterFilters();
});

function nameAll() {
  nameLists();
  nameLongLists();
  nameBox();
  reachByKeys();
}

// The lists are made by a script that may run after the page has loaded.
new MutationObserver(nameAll).observe(document.documentElement, {
  childList: true,
  subtree: true,
});
