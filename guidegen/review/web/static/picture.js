// The 3-D view as a picture with its dimensions: whose it is, the distances that are drawn, and a scale.
const BAR_MM = 20;
const FONT = "system-ui, 'DejaVu Sans', sans-serif";

export function savePicture(stage, marks, name) {
  const { clientWidth: width, clientHeight: height } = stage.element;
  const source = stage.renderer.domElement;
  const sheet = document.createElement("canvas");
  const ratio = source.width / width;
  Object.assign(sheet, { width: source.width, height: source.height });
  const pen = sheet.getContext("2d");
  pen.drawImage(source, 0, 0);
  pen.scale(ratio, ratio);
  Object.assign(pen, { lineWidth: 3, strokeStyle: "#0b0e12", fillStyle: "#e4e8ed", font: `600 16px ${FONT}` });
  write(pen, name, 14, 26);
  pen.font = `13px ${FONT}`;
  for (const { text, at: [x, y] } of marks.texts) write(pen, text, x + 6, y - 8);
  const size = `${(width * stage.scale).toFixed(1)} × ${(height * stage.scale).toFixed(1)} mm, parallel projection`;
  write(pen, size, 14, height - 14);
  drawBar(pen, BAR_MM / stage.scale, width - 16, height - 16);
  sheet.toBlob((blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `${name.replaceAll(" ", "-")}-view.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }, "image/png");
}

export function drawBar(pen, length, right, bottom) {
  Object.assign(pen, { strokeStyle: "#e4e8ed", lineWidth: 2 });
  pen.beginPath();
  for (const x of [right - length, right]) {
    pen.moveTo(x, bottom - 5);
    pen.lineTo(x, bottom + 5);
  }
  pen.moveTo(right - length, bottom);
  pen.lineTo(right, bottom);
  pen.stroke();
  Object.assign(pen, { strokeStyle: "#0b0e12", lineWidth: 3, textAlign: "right" });
  write(pen, `${BAR_MM} mm`, right, bottom - 10);
}

function write(pen, text, x, y) {
  pen.strokeText(text, x, y);
  pen.fillText(text, x, y);
}
