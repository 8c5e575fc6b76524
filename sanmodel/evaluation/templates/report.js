"use strict";

// Figures: a click or Enter opens one large; Escape, the button or a click beside it closes.
const dialog = document.getElementById("zoom");
const large = dialog.querySelector("img");
let opener = null;
for (const button of document.querySelectorAll("button.zoom")) {
  button.addEventListener("click", () => {
    const small = button.querySelector("img");
    opener = button;
    large.src = small.src;
    large.alt = small.alt;
    document.getElementById("zoom-title").textContent = small.alt;
    dialog.showModal();
  });
}
dialog.querySelector("button").addEventListener("click", () => dialog.close());
dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close();
});
dialog.addEventListener("close", () => opener.focus());

// Faces: the original left of the slider's thumb, the chosen output right of it.
for (const slider of document.querySelectorAll(".face input")) {
  const pair = slider.closest(".face").querySelector(".pair");
  const show = () => {
    pair.style.setProperty("--split", `${slider.value}%`);
    slider.setAttribute("aria-valuetext", `${slider.value}% original, the rest output`);
  };
  slider.addEventListener("input", show);
  show();
}
const choice = document.getElementById("output");
if (choice) {
  const choose = () => {
    for (const image of document.querySelectorAll(".pair .output")) {
      image.hidden = image.dataset.variant !== choice.value;
    }
    for (const end of document.querySelectorAll(".ends .chosen")) end.textContent = choice.value;
  };
  choice.addEventListener("change", choose);
  choose();
}
