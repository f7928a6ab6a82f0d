"use strict";
// Without this script every citation is a link to its passage. With it the passage shows where it is cited.
const note = document.getElementById("note");
const PATIENCE = 250; // milliseconds that a pointer has to reach the note
let shown, pinned = false, leaving;

function show(cite) {
  clearTimeout(leaving);
  shown = cite;
  note.replaceChildren(...document.querySelector(cite.hash).cloneNode(true).childNodes);
  if (!note.matches(":popover-open")) note.showPopover();
  const box = cite.getBoundingClientRect();
  const left = Math.min(Math.max(8, box.left - 24), document.documentElement.clientWidth - note.offsetWidth - 8);
  const below = box.bottom + 6 + note.offsetHeight < window.innerHeight;
  note.style.left = `${left}px`;
  note.style.top = `${below ? box.bottom + 6 : box.top - note.offsetHeight - 6}px`;
}

function hide() {
  pinned = false;
  if (note.matches(":popover-open")) note.hidePopover();
}

/** Whether somebody reads it: it was clicked, has the keyboard, or the pointer is on it. */
const read = () => pinned || document.activeElement === shown || note.matches(":hover") || shown?.matches(":hover");

function leave() {
  clearTimeout(leaving);
  leaving = setTimeout(() => read() || hide(), PATIENCE);
}

for (const cite of document.querySelectorAll("a.cite")) {
  cite.addEventListener("mouseenter", () => pinned || show(cite));
  cite.addEventListener("mouseleave", leave);
  cite.addEventListener("focus", () => show(cite));
  cite.addEventListener("blur", () => note.matches(":hover") || hide());
  cite.addEventListener("click", (event) => {
    event.preventDefault();
    event.stopPropagation();
    show(cite);
    pinned = true;
  });
}
note.addEventListener("mouseleave", leave);
document.addEventListener("click", (event) => note.contains(event.target) || hide());
document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
window.addEventListener("scroll", () => note.matches(":popover-open") && (read() ? show(shown) : hide()), { passive: true });

// What is closed on the screen, but for ECGs, is open on paper, and where an address leads.
function open() {
  const target = document.querySelector(":target");
  for (let place = target; place; place = place.parentElement) if (place.tagName === "DETAILS") place.open = true;
  if (target) target.scrollIntoView();
}
window.addEventListener("hashchange", open);
window.addEventListener("load", open);

const all = document.getElementById("open-all");
const classes = [...document.querySelectorAll("details.class")];
all.hidden = false;
all.addEventListener("click", () => {
  const closed = classes.some((item) => !item.open);
  for (const item of classes) item.open = closed;
  all.textContent = closed ? "Close all" : "Open all";
});

let opened = [];
window.addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details:not([open], .ecgs)")];
  for (const item of opened) item.open = true;
});
window.addEventListener("afterprint", () => {
  for (const item of opened) item.open = false;
});
