// Sliders of the slices. While a picture is under way, only the last place that was asked for is remembered.

export function followSliders(views) {
  for (const figure of views.querySelectorAll(".slice")) follow(views, figure);
  for (const button of views.querySelectorAll("[data-swap]")) {
    button.addEventListener("click", () => {
      button.closest(".slice").hidden = true;
      const other = document.getElementById(`slice-${button.dataset.swap}`);
      other.hidden = false;
      other.querySelector("input").focus();
    });
  }
}

function follow(views, figure) {
  const [image, slider, output] = ["img", "input", "output"].map((name) => figure.querySelector(name));
  const save = figure.querySelector("a");
  const { plane, unit } = figure.dataset;
  let shown = slider.value;
  let isLoading = false;

  const load = () => {
    if (isLoading || shown === slider.value) return;
    isLoading = true;
    shown = slider.value;
    save.href = `${views.dataset.base}/slice/${plane}?at=${shown}`;
    image.alt = `Slice, ${plane}, at ${shown} ${unit}`;
    image.src = save.href;
  };
  image.addEventListener("load", () => { isLoading = false; load(); });
  image.addEventListener("error", () => { isLoading = false; });
  slider.addEventListener("input", () => {
    output.textContent = `${Number(slider.value).toFixed(1)} ${unit}`;
    load();
  });
}
