// Follows a change: shows what was measured as soon as it is, and what became of it when it is done.
const change = document.getElementById("change");
const bar = document.getElementById("progress");
const stage = document.getElementById("stage");

async function follow() {
  const answer = await fetch(change.dataset.progress, { headers: { accept: "application/json" } });
  if (!answer.ok) return location.reload();
  const now = await answer.json();
  bar.value = now.share;
  stage.textContent = now.phase === "running" && now.stage ? `running: ${now.stage}` : now.phase;
  const measured = now.measured && change.dataset.measured === "no";
  if (measured || now.phase === "done" || now.phase === "failed") return location.reload();
  setTimeout(follow, 500);
}

if (change.dataset.phase === "waiting" || change.dataset.phase === "running") follow();
