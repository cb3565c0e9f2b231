// Every page reads well without this file. It adds buttons that copy, a choice of the language
// of examples, and the search, which runs in the browser. Texts become text nodes, never HTML.
"use strict";

// Adds a button that copies to each text that is made to be pasted.
function addCopyButtons() {
  for (const pre of document.querySelectorAll("pre.copy")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy-button";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(pre.textContent);
        button.textContent = "Copied";
      } catch {
        button.textContent = "Select and copy by hand";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
    const box = document.createElement("div");
    box.className = "copyable";
    pre.before(box);
    box.append(pre, button);
  }
}

// Shows the example of one language, which the browser remembers.
function addLanguages() {
  const names = ["curl", "Node.js", "Python", "PHP", "Ruby", "Go"];
  const headings = [...document.querySelectorAll("h3")].filter((h) => names.includes(h.textContent));
  if (headings.length !== names.length || document.getElementById("example") === null) return;
  const bar = document.createElement("div");
  bar.className = "languages";
  bar.setAttribute("role", "group");
  bar.setAttribute("aria-label", "Language of the example");
  const buttons = [];
  const choose = (name) => {
    for (const h of headings) h.hidden = h.nextElementSibling.hidden = h.textContent !== name;
    for (const b of buttons) b.setAttribute("aria-pressed", String(b.textContent === name));
  };
  for (const name of names) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name;
    button.addEventListener("click", () => {
      choose(name);
      try { localStorage.setItem("cohort-language", name); } catch { /* it is not remembered */ }
    });
    buttons.push(button);
    bar.append(button);
  }
  headings[0].before(bar);
  let chosen = null;
  try { chosen = localStorage.getItem("cohort-language"); } catch { /* there is no memory */ }
  choose(names.includes(chosen) ? chosen : names[0]);
}

// The results of the search that a page shows at most.
const mostResults = 40;

// The results that one page has at most.
const mostOfPage = 3;

// The endings that forms of an English word differ in.
const endings = "(?:ions?|ings?|ied|ies|ed|es|e|s|y)";

// Returns a pattern that a word and its other forms match: "creating" matches "create", and
// "run" matches "running". So the index has texts as they are, and needs no stems.
function pattern(word) {
  const exact = word.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  if (!/^[a-z]{3,}$/.test(word)) return new RegExp(exact, "i");
  const stem = word.replace(new RegExp(endings + "$"), "").replace(/([^aeiou])\1$/, "$1");
  if (!/.[aeiouy]|[aeiouy]./.test(stem)) return new RegExp(exact, "i");
  return new RegExp(exact + "|(?<![a-z])" + stem + stem.at(-1) + "?" + endings + "?(?![a-z])", "i");
}

// Returns the entries that match all patterns, the best first: matches in headings count most,
// and a page has a few results at most.
function find(entries, patterns) {
  const found = [];
  for (const entry of entries) {
    const scores = patterns.map((p) => {
      if (p.test(entry.s || "")) return 8;
      if (p.test(entry.p)) return entry.s ? 3 : 8;
      return p.test(entry.t) ? 1 : 0;
    });
    if (scores.includes(0)) continue;
    found.push({ entry, score: scores.reduce((a, b) => a + b, 0) + 4 * (entry.w || 0) });
  }
  found.sort((a, b) => b.score - a.score);
  const count = new Map();
  return found.map((f) => f.entry).filter((entry) => {
    const page = entry.u.split("#")[0];
    count.set(page, (count.get(page) || 0) + 1);
    return count.get(page) <= mostOfPage;
  });
}

// Adds the part of a text around the first match to an element, with the matches marked.
function addExcerpt(element, text, patterns) {
  const places = patterns.map((p) => text.search(p)).filter((at) => at >= 0);
  const start = Math.max(0, (places.length ? Math.min(...places) : 0) - 60);
  let rest = text.slice(start, start + 220);
  if (start > 0) element.append("… ");
  while (rest !== "") {
    const [match] = patterns.map((p) => p.exec(rest)).filter((m) => m !== null).sort((a, b) => a.index - b.index);
    if (match === undefined) break;
    const mark = document.createElement("mark");
    mark.textContent = match[0];
    element.append(rest.slice(0, match.index), mark);
    rest = rest.slice(match.index + match[0].length);
  }
  element.append(rest, start + 220 < text.length ? " …" : "");
}

// Shows the pages that have all words of the query in the address.
function search() {
  const results = document.getElementById("results");
  if (results === null) return;
  const root = results.dataset.index.replace("static/search-index.js", "");
  const query = new URLSearchParams(location.search).get("q") || "";
  const words = query.toLowerCase().split(/\s+/).filter((w) => w !== "").slice(0, 10);
  document.getElementById("q").value = query;
  results.parentElement.querySelector("p").hidden = true;
  if (words.length === 0) {
    results.textContent = "Type words to search for, above.";
    return;
  }
  const patterns = words.map(pattern);
  // The index calls this function.
  window.cohortIndex = (entries) => {
    const found = find(entries, patterns);
    const count = document.createElement("p");
    count.textContent = found.length === 0 ? "No page has all these words."
      : found.length > mostResults ? "The first " + mostResults + " of " + found.length + " results"
      : found.length === 1 ? "1 result" : found.length + " results";
    const list = document.createElement("ol");
    for (const e of found.slice(0, mostResults)) {
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = root + e.u;
      link.textContent = e.s ? e.p + ": " + e.s : e.p;
      const excerpt = document.createElement("p");
      addExcerpt(excerpt, e.t, patterns);
      item.append(link, excerpt);
      list.append(item);
    }
    results.replaceChildren(count, list);
  };
  results.textContent = "Searching…";
  const script = document.createElement("script");
  script.src = results.dataset.index;
  script.addEventListener("error", () => { results.textContent = "The index of the search cannot be loaded."; });
  document.head.append(script);
}

addLanguages();
addCopyButtons();
search();
