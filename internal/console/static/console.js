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
