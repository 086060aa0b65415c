// The three sounds of a set. One plays at a time; a sound counts as heard after HEARD_SECONDS.

const HEARD_SECONDS = 3;

/**
 * A button that plays a sound from the start, and stops it.
 * `started` is called when it starts, `heard` once for each time that it counts as heard.
 */
export function player(name, url, plays, started, heard) {
  const button = document.getElementById("player").content.cloneNode(true).firstElementChild;
  const audio = new Audio(url);
  const line = button.querySelector(".line span");
  const mark = button.querySelector(".heard");
  let counted = true, frame = 0;

  button.querySelector(".name").textContent = name;
  audio.preload = "auto";
  button.append(audio);
  show();

  function show() {
    const playing = !audio.paused && !audio.ended;
    button.setAttribute("aria-pressed", String(playing));
    button.setAttribute("aria-label", `Play ${name}${plays ? ", heard" : ""}`);
    mark.textContent = plays ? "✓ heard" : "";
    cancelAnimationFrame(frame);
    if (playing) frame = requestAnimationFrame(move);
  }
  function move() {
    line.style.transform = `scaleX(${audio.currentTime / (audio.duration || 1)})`;
    frame = requestAnimationFrame(move);
  }
  function count() {
    if (counted) return;
    counted = true;
    plays += 1;
    heard();
    show();
  }
  function stop() {
    audio.pause();
    audio.currentTime = 0;
    line.style.transform = "scaleX(0)";
  }

  for (const event of ["play", "pause", "ended"]) audio.addEventListener(event, show);
  audio.addEventListener("timeupdate", () => { if (audio.currentTime >= HEARD_SECONDS) count(); });
  audio.addEventListener("ended", () => { count(); stop(); });
  audio.addEventListener("error", () => { mark.textContent = "can't be played"; });
  button.addEventListener("click", async () => {
    if (!audio.paused) return stop();
    started();
    counted = false;
    await audio.play().catch(() => { mark.textContent = "can't be played"; });
  });
  return {button, stop, heard: () => plays > 0};
}
