// Sliders of the slices. While a picture is under way, only the last place that was asked for is remembered.

export function followSliders(views) {
  const ground = document.getElementById("ground");
  const plain = document.getElementById("plain");
  const options = () => {
    const on = ground ? `&ground=${encodeURIComponent(ground.value)}` : "";
    return plain?.checked ? `${on}&plain=true` : on;
  };
  const loads = [...views.querySelectorAll(".slice")].map((figure) => follow(views, figure, options));
  for (const control of [ground, plain]) control?.addEventListener("change", () => loads.forEach((load) => load()));
  for (const button of views.querySelectorAll("[data-swap]")) {
    button.addEventListener("click", () => {
      button.closest(".slice").hidden = true;
      const other = document.getElementById(`slice-${button.dataset.swap}`);
      other.hidden = false;
      other.querySelector("input").focus();
    });
  }
}

// Keeps a slice where its slider is; what it gives back looks whether anything has changed.
function follow(views, figure, options) {
  const [image, slider, output] = ["img", "input", "output"].map((name) => figure.querySelector(name));
  const save = figure.querySelector("a");
  const { plane, unit } = figure.dataset;
  const wanted = () => `${views.dataset.base}/slice/${plane}?at=${slider.value}${options()}`;
  let shown = wanted();
  let isLoading = false;

  const load = () => {
    if (isLoading || shown === wanted()) return;
    isLoading = true;
    shown = wanted();
    save.href = image.src = shown;
    image.alt = `Slice, ${plane}, at ${slider.value} ${unit}`;
  };
  image.addEventListener("load", () => { isLoading = false; load(); });
  image.addEventListener("error", () => { isLoading = false; });
  slider.addEventListener("input", () => {
    output.textContent = `${Number(slider.value).toFixed(1)} ${unit}`;
    load();
  });
  return load;
}
