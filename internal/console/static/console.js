// Everything works without this file, except for the live list of requests. Texts of
// strangers become text nodes, never HTML.
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

addCopyButtons();

// Shows requests as they come, above those of the page. While it is paused, they wait.
function followRequests() {
  const bar = document.getElementById("live");
  const body = document.getElementById("requests");
  if (!bar || !bar.dataset.stream) return;
  const most = Number(bar.dataset.max);
  const pause = document.getElementById("live-pause");
  const state = document.getElementById("live-state");
  const news = document.getElementById("live-news");
  let waiting = [], count = 0, timer = 0;
  bar.hidden = false;

  const say = () => {
    news.textContent = count === 1 ? "1 new request" : count + " new requests";
    count = 0;
    timer = 0;
  };
  const show = (row) => {
    body.closest(".scroll").hidden = false;
    const empty = document.getElementById("no-requests");
    if (empty) empty.remove();
    body.prepend(requestRow(row));
    while (body.rows.length > most) body.lastElementChild.remove();
  };
  pause.addEventListener("click", () => {
    const paused = pause.getAttribute("aria-pressed") !== "true";
    pause.setAttribute("aria-pressed", String(paused));
    pause.textContent = paused ? "Go on" : "Pause";
    state.textContent = paused ? "paused" : "live";
    if (!paused) {
      for (const row of waiting) show(row);
      waiting = [];
    }
  });
  const source = new EventSource(bar.dataset.stream);
  source.onopen = () => { state.textContent = "live"; };
  source.onerror = () => { state.textContent = "not connected"; };
  source.onmessage = (event) => {
    const row = JSON.parse(event.data);
    if (pause.getAttribute("aria-pressed") === "true") {
      waiting.push(row);
      if (waiting.length > most) waiting.shift();
    } else {
      show(row);
    }
    count++;
    // A reader is told of numbers now and then, and not of every row.
    if (!timer) timer = setTimeout(say, 1000);
  };
}

// Returns an element with a class and children, of which strings become text.
function element(name, className, ...children) {
  const e = document.createElement(name);
  if (className) e.className = className;
  e.append(...children);
  return e;
}

function requestRow(r) {
  const time = element("time", "", r.time);
  time.dateTime = r.iso;
  const link = element("a", "", element("span", "method", r.method), " " + r.path);
  link.href = r.link;
  const head = element("th", "break", link);
  head.scope = "row";
  const notes = element("td", "break");
  if (r.fault) notes.append(element("span", "tag warn", "fault " + r.fault), " ");
  if (r.unread && r.unread.length) notes.append(element("span", "tag note", "not read: " + r.unread.join(", ")), " ");
  notes.append(element("span", "soft", r.reason));
  const operation = r.operation || element("span", "soft", "not served");
  return element("tr", "fresh", element("td", "", time), head,
    element("td", "", element("span", "tag " + r.tone, r.status ? String(r.status) : "cut off")),
    element("td", "", operation), notes, element("td", "number", r.took),
    element("td", "", element("code", "", r.token)));
}

followRequests();
