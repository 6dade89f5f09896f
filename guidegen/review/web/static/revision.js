// The page of a revision: its slices at once, its 3-D view as soon as the shapes are there.
import { followSliders } from "./slices.js";
import { openScene } from "./scene.js";

const views = document.getElementById("views");
followSliders(views);
openScene(views).catch((fault) => {
  document.getElementById("said").textContent = `The 3-D view cannot be shown: ${fault.message}`;
});

for (const button of document.querySelectorAll("[data-fill]")) {
  button.addEventListener("click", () => {
    const form = button.closest("form");
    form.elements.kit.value = button.dataset.kit;
    form.elements.strategy.value = button.dataset.strategy;
    form.elements.entry.value = button.dataset.entry ?? "";
    form.elements.target.value = button.dataset.target ?? "";
  });
}
