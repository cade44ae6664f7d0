"use strict";
const parts = JSON.parse(document.getElementById("parts").textContent);
const panel = document.querySelector("aside");
const rows = [...document.querySelectorAll("tr[data-parts]")];
const header = document.querySelector("header");
let pictures = null, chosen = null, wanted = "";

async function unpacked() {
  const packed = document.getElementById("pictures").textContent;
  const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
}

function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

/* A sentence in which `code` is code, and the names of properties stand out. */
function said(part) {
  const paragraph = element("p");
  part.sentence.split("`").forEach((text, position) => {
    if (position % 2) return paragraph.append(element("code", "", text));
    const names = part.names.filter((name) => text.includes(name));
    if (!names.length) return paragraph.append(text);
    const [before, ...after] = text.split(names[0]);
    paragraph.append(before, element("b", part.tone, names[0]), after.join(names[0]));
  });
  return paragraph;
}

function row(line) { return document.getElementById(`L${line}`); }

function show(number, scroll) {
  chosen = number;
  const part = parts[number];
  document.querySelectorAll(".chosen").forEach((one) => one.classList.remove("chosen"));
  const here = row(part.line);
  here.classList.add("chosen");
  document.querySelectorAll(`u[data-part="${number}"]`).forEach((one) => one.classList.add("chosen"));
  if (scroll) here.scrollIntoView({ block: "center" });
  const shown = [element("h2", "", `LINE ${part.line}: `, element("code", "", part.change)), said(part)];
  if (part.picture !== null) {
    const figure = element("figure", "");
    figure.title = "Click for full size";
    figure.onclick = () => panel.classList.toggle("wide");
    shown.push(figure);
    pictures = pictures || unpacked();
    pictures.then((all) => { figure.innerHTML = all[part.picture]; });
  }
  if (part.later) shown.push(element("p", "hint", part.later));
  if (part.more) shown.push(element("p", "hint", `${Math.abs(part.more).toLocaleString("en")} states ${part.more > 0 ? "more" : "fewer"} than the specification has.`));
  if (part.variants.length) shown.push(element("p", "hint", "The library keeps this mutant as the variant ", element("b", "", part.variants.join(", ")), "."));
  const others = here.dataset.parts.split(" ").map(Number).filter((other) => other !== number);
  if (others.length) {
    const list = element("div", "others", "Also in this line");
    for (const other of others) {
      const button = element("button", "", element("code", "", parts[other].change), " ", element("span", `word ${parts[other].tone}`, parts[other].margin), ` ${parts[other].note}`);
      button.onclick = () => choose(other);
      list.append(button);
    }
    shown.push(list);
  }
  panel.replaceChildren(...shown);
  panel.scrollTop = 0;
}

/* Show a mutant that the reader has chosen: the address names its line. */
function choose(number, scroll) {
  show(number, scroll);
  history.replaceState(null, "", `#L${parts[number].line}`);
}

function visible(number) { return !wanted || parts[number].verdict === wanted; }

function filter(verdict) {
  wanted = verdict;
  document.querySelectorAll("nav button").forEach((one) => one.setAttribute("aria-pressed", String(one.dataset.verdict === verdict)));
  for (const one of rows) one.classList.toggle("off", !one.dataset.parts.split(" ").map(Number).some(visible));
  const first = rows.flatMap((one) => one.dataset.parts.split(" ").map(Number)).find(visible);
  if (first !== undefined && verdict) choose(first, true);
}

function measure() { document.documentElement.style.setProperty("--head", `${header.offsetHeight}px`); }

window.onresize = measure;
measure();
document.querySelector("nav").onclick = (event) => {
  if (event.target.dataset.verdict !== undefined) filter(event.target.dataset.verdict);
};
document.querySelector("table").onclick = (event) => {
  const fold = event.target.closest(".fold");
  if (fold) {
    fold.classList.toggle("open");
    fold.nextElementSibling.hidden = !fold.nextElementSibling.hidden;
    return;
  }
  const part = event.target.closest("[data-part]"), line = event.target.closest("tr[data-parts]");
  if (part) choose(Number(part.dataset.part));
  else if (line) choose(line.dataset.parts.split(" ").map(Number).find(visible) ?? Number(line.dataset.parts.split(" ")[0]));
};
document.onkeydown = (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
  if (!step) return;
  const order = rows.flatMap((one) => one.dataset.parts.split(" ").map(Number)).filter(visible);
  const next = order[Math.max(0, Math.min(order.length - 1, order.indexOf(chosen) + step))];
  if (next !== undefined) choose(next, true);
  event.preventDefault();
};

const asked = row(location.hash.slice(2));
const worst = rows.find((one) => parts[Number(one.dataset.parts.split(" ")[0])].tone === "bad") || rows[0];
if (asked || worst) show(Number((asked || worst).dataset.parts.split(" ")[0]), Boolean(asked));
else panel.append(element("p", "hint", "There is nothing to show."));
