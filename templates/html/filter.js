"use strict";
const box = document.getElementById("filter");
if (box) {
  const input = document.getElementById("words"), found = document.getElementById("found");
  const rows = [...document.querySelectorAll("#feeds tbody tr")];
  box.hidden = false;
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/);
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
    found.textContent = rows.filter((row) => !row.hidden).length + " of " + rows.length + " shown";
  });
}
