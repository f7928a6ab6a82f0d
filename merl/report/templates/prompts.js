"use strict";
// The page holds what the reviewer decided in `rows`; what the file says stays in the attributes of each row.
const facts = JSON.parse(document.getElementById("facts").textContent);
const el = (id) => document.getElementById(id);
const draftKey = `merl-review ${facts.place}`;
const drafts = facts.token ? sessionStorage : localStorage; // a page that was sent may take days
const rows = new Map(); // table row -> what the reviewer has decided on it
const lost = []; // of a draft, what the file has no place for any more
let leaving = false, kept = "";

const originally = (row) => ({ text: row.dataset.text, role: row.dataset.role, polarity: row.dataset.polarity });
const codeOf = (row) => row.closest("section").dataset.class;
const isNew = (row) => row.dataset.number === undefined;
const reviewer = () => el("by").value.replace(/\s+/g, " ").trim();

/** The reviewer's own mark as the file has it; one on another wording is shown, and does not count. */
function ownMark(row) {
  const own = [...row.querySelectorAll(".marks li")].find((mark) => mark.dataset.by === reviewer());
  return { agreed: own?.dataset.agreed !== undefined, comment: own?.dataset.comment ?? "", found: own };
}

const saved = (row) => {
  const { agreed, comment } = ownMark(row);
  return { ...originally(row), removed: false, agreed, comment };
};
const isChanged = (row) => isNew(row) || Object.entries(saved(row)).some(([key, value]) => rows.get(row)[key] !== value);
const isReworded = (row) => Object.entries(originally(row)).some(([key, value]) => rows.get(row)[key] !== value);
const changedRows = () => [...rows.keys()].filter(isChanged);

/** Show on a row what was decided on it. */
function show(row) {
  const now = rows.get(row);
  const signs = { present: "for", absent: "against" };
  row.querySelector(".text").textContent = now.text;
  row.querySelector(".role").textContent = now.role;
  const polarity = row.querySelector(".polarity");
  polarity.textContent = signs[now.polarity];
  polarity.className = `polarity ${now.polarity}`;
  row.querySelector("input[type=checkbox]").checked = now.agreed;
  row.querySelector(".comment textarea").value = now.comment;
  row.querySelector(".remove").textContent = now.removed ? "Put back" : "Remove";
  row.querySelector(".edit").hidden = now.removed;
  row.classList.toggle("agreed", now.agreed && !now.removed);
  row.classList.toggle("removed", now.removed);
  row.classList.toggle("changed", isChanged(row));
  const edited = row.querySelector(".edited");
  if (!isNew(row)) {
    edited.dataset.file ??= edited.hidden ? "" : edited.textContent;
    edited.textContent = isReworded(row) ? "edited, not saved yet" : edited.dataset.file;
    edited.hidden = !edited.textContent;
  }
  for (const mark of row.querySelectorAll(".marks li"))
    mark.hidden = mark === ownMark(row).found && mark.dataset.stale === undefined;
}

function decide(row, decision) {
  rows.set(row, { ...rows.get(row), ...decision });
  show(row);
  count();
  keepDraft();
}

/** Say how far the review is, over all and class by class. */
function count() {
  let all = 0, ticked = 0;
  for (const section of document.querySelectorAll("section[data-class]")) {
    const kept = [...section.querySelectorAll("tbody tr")].filter((row) => rows.has(row) && !rows.get(row).removed);
    const agreed = kept.filter((row) => rows.get(row).agreed).length;
    const tally = document.querySelector(`[data-tally="${section.id.slice(6)}"]`);
    tally.textContent = `${agreed}/${kept.length}`;
    tally.classList.toggle("done", kept.length > 0 && agreed === kept.length);
    section.querySelector(".empty").hidden = kept.some((row) => rows.get(row).polarity === "present");
    all += kept.length;
    ticked += agreed;
  }
  el("count").textContent = `${ticked} of ${all} ticked`;
  el("progress").max = Math.max(all, 1);
  el("progress").value = ticked;
  const changes = changedRows().length;
  el("save").textContent = (facts.token ? "Save" : "Keep as a file") + (changes ? ` (${changes})` : "");
  el("status").textContent = "";
}

/** Open the form that changes a phrase in place. */
function edit(row) {
  const cell = row.querySelector(".phrase");
  if (cell.querySelector("form")) return;
  const form = el("editor").content.cloneNode(true).querySelector("form");
  const now = rows.get(row) ?? originally(row);
  for (const key of ["text", "role", "polarity"]) form.elements[key].value = now[key];
  const parts = [...cell.children];
  const close = () => {
    form.remove();
    parts.forEach((part) => (part.hidden = false));
    if (!rows.has(row)) return row.remove();
    show(row);
    row.querySelector(".edit").focus();
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = form.elements.text.value.replace(/\s+/g, " ").trim();
    if (!text) return form.elements.text.focus();
    const said = { text, role: form.elements.role.value, polarity: form.elements.polarity.value };
    const before = rows.get(row) ?? { removed: false, comment: row.querySelector(".comment textarea").value, agreed: false };
    const changed = ["text", "role", "polarity"].some((key) => before[key] !== said[key]);
    rows.set(row, { ...before, ...said, agreed: changed || before.agreed }); // who words a phrase agrees to it
    close();
    decide(row, {});
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    if (event.key === "Enter" && event.target.name === "text") { event.preventDefault(); form.requestSubmit(); }
  });
  form.querySelector(".cancel").addEventListener("click", close);
  parts.forEach((part) => (part.hidden = true));
  cell.append(form);
  form.elements.text.focus();
}

function add(section) {
  const row = el("added").content.cloneNode(true).querySelector("tr");
  section.querySelector("tbody").append(row);
  return row;
}

function remove(row) {
  if (!isNew(row)) return decide(row, { removed: !rows.get(row).removed });
  row.closest("section").querySelector(".new").focus();
  rows.delete(row);
  row.remove();
  count();
  return keepDraft();
}

/** What is sent: every changed phrase with the reviewer's whole mark on it. */
function sheet() {
  const decisions = [], added = [];
  for (const row of changedRows()) {
    const { text, role, polarity, removed, agreed, comment } = rows.get(row);
    const wording = isNew(row) || isReworded(row) ? { text, role, polarity } : {};
    if (isNew(row)) added.push({ class: codeOf(row), ...wording, agreed, comment });
    else decisions.push({ class: codeOf(row), number: Number(row.dataset.number), of: originally(row), ...wording, removed, agreed, comment });
  }
  return { schema: facts.schema, by: reviewer(), sha256: facts.sha256, decisions, added };
}

function say(text, ...buttons) {
  el("notice").replaceChildren(text, " ", ...buttons.map(([label, act]) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    button.addEventListener("click", act);
    return button;
  }));
  el("notice").hidden = false;
}

function reload() {
  leaving = true;
  location.reload();
}

async function save() {
  if (document.querySelector(".editor")) {
    el("status").textContent = "Done or Cancel first";
    return document.querySelector(".editor [name=text]").focus();
  }
  if (!el("by").reportValidity()) return undefined;
  if (!facts.token) return keepAsFile();
  el("status").textContent = "saving";
  let answer, said;
  try {
    answer = await fetch("/review", {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Merl-Token": facts.token },
      body: JSON.stringify(sheet()),
    });
    said = (await answer.json()).message;
  } catch {
    count();
    return say("Nothing answers: was merl prompts review stopped? Keep your review as a file, and put it in with --sheet.", ["Keep as a file", keepAsFile]);
  }
  if (answer.ok) {
    storeDraft(lost);
    sessionStorage.setItem(`${draftKey} saved`, said);
    return reload();
  }
  count();
  if (answer.status === 409)
    return say(`${said} Your review is kept on this page.`, ["Read the file again and put my review on it", reload], ["Keep as a file", keepAsFile]);
  return say(`Not saved: ${said}`, ["Keep as a file", keepAsFile]);
}

function keepAsFile() {
  const link = document.createElement("a");
  kept = JSON.stringify(sheet(), null, 1);
  link.href = URL.createObjectURL(new Blob([kept], { type: "application/json" }));
  link.download = `${facts.label_set}-${facts.file.replace(/\.ya?ml$/, "")}.review.json`;
  link.click();
  URL.revokeObjectURL(link.href);
}

/** Names of rows that hold when the file is written anew: class, what the phrase says, which of the same. */
function rowKeys() {
  const keys = new Map(), seen = new Map();
  for (const row of document.querySelectorAll("tr[data-number]")) {
    const name = `${codeOf(row)} ${row.dataset.digest}`;
    seen.set(name, (seen.get(name) ?? -1) + 1);
    keys.set(`${name} ${seen.get(name)}`, row);
  }
  return keys;
}

function keepDraft() {
  const changed = [...rowKeys()].filter(([, row]) => isChanged(row));
  const added = [...rows.keys()].filter(isNew).map((row) => [undefined, row]);
  storeDraft([...lost, ...[...changed, ...added].map(([key, row]) => ({ key, code: codeOf(row), now: rows.get(row) }))]);
}

function storeDraft(items) {
  if (items.length) drafts.setItem(draftKey, JSON.stringify({ by: el("by").value, items }));
  else drafts.removeItem(draftKey);
}

/** Bring back what was not saved, also onto a file that has changed; what finds no place is told, and kept. */
function bringBack(items) {
  const keys = rowKeys();
  for (const item of items) {
    const section = [...document.querySelectorAll("section[data-class]")].find((one) => one.dataset.class === item.code);
    const row = item.key ? keys.get(item.key) : section && add(section);
    if (!row) { lost.push(item); continue; }
    rows.set(row, item.now);
    show(row);
  }
  if (!lost.length && !changedRows().length) return drafts.removeItem(draftKey);
  say("Your review that was not saved is back on this page.", ["Discard it", () => { drafts.removeItem(draftKey); reload(); }]);
  if (!lost.length) return;
  const list = document.createElement("ul");
  for (const { code, now: { text, removed, agreed, comment } } of lost) {
    const line = document.createElement("li");
    line.textContent = [`${code}: ${text}`, removed && "removed", agreed && "ticked", comment].filter(Boolean).join("; ");
    list.append(line);
  }
  el("notice").append(" These phrases the file no longer has:", list);
}

function filter() {
  const wanted = { all: () => true, open: (now) => !now.agreed && !now.removed, marked: (now, row) => now.comment || isChanged(row) || row.querySelector(".marks, .edited:not([hidden])") };
  for (const [row, now] of rows) row.hidden = !wanted[el("show").value](now, row);
}

function start() {
  el("by").value = localStorage.getItem("merl-review by") ?? "";
  const draft = JSON.parse(drafts.getItem(draftKey) ?? "null");
  if (draft) el("by").value = draft.by;
  for (const row of document.querySelectorAll("tr[data-number]")) rows.set(row, saved(row));
  rows.forEach((_, row) => show(row));
  if (draft) bringBack(draft.items);
  count();
  if (matchMedia("(max-width: 1000px)").matches) el("contents").open = false;
  el("status").textContent = sessionStorage.getItem(`${draftKey} saved`) ?? "";
  sessionStorage.removeItem(`${draftKey} saved`);
}

el("by").addEventListener("change", () => {
  localStorage.setItem("merl-review by", reviewer());
  for (const row of rows.keys())
    if (!row.classList.contains("changed")) rows.set(row, saved(row));
  rows.forEach((_, row) => show(row));
  count();
});
el("bar").addEventListener("submit", (event) => { event.preventDefault(); save(); });
el("show").addEventListener("change", filter);
el("main").addEventListener("change", ({ target }) => {
  const row = target.closest("tr");
  if (target.type === "checkbox") decide(row, { agreed: target.checked });
});
el("main").addEventListener("input", ({ target }) => {
  if (target.closest(".comment") && rows.has(target.closest("tr"))) decide(target.closest("tr"), { comment: target.value });
});
el("main").addEventListener("click", ({ target }) => {
  const row = target.closest("tr");
  if (target.matches(".edit")) edit(row);
  if (target.matches(".remove")) remove(row);
  if (target.matches(".new")) edit(add(target.closest("section")));
  if (target.matches(".rest"))
    for (const one of target.closest("section").querySelectorAll("tbody tr"))
      if (rows.has(one) && !one.hidden && !rows.get(one).removed && !rows.get(one).comment) decide(one, { agreed: true });
});
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === "s") { event.preventDefault(); save(); }
  if (!event.target.matches("td.tick input") || !/^Arrow(Up|Down)$/.test(event.key)) return;
  event.preventDefault();
  const ticks = [...document.querySelectorAll("tr:not([hidden]) td.tick input")];
  ticks[ticks.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1)]?.focus();
});
addEventListener("beforeunload", (event) => { if (!leaving && changedRows().length && JSON.stringify(sheet(), null, 1) !== kept) event.preventDefault(); });
start();
