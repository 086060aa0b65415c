// The questionnaire, one view at a time: introduction, about the respondent, each set, the end.

import * as answers from "./answers.js";
import {player} from "./player.js";

const NAMES = {a: "A", b: "B", sound: "The sound"};
const TYPING_MILLISECONDS = 500;

const view = document.getElementById("view");
const status = document.getElementById("status");
let asked, state, leave = () => {};

answers.onTrouble((text) => { status.textContent = text; });
addEventListener("pagehide", () => leave());
start();

async function start() {
  try {
    asked = await answers.questions();
    document.title = document.getElementById("title").textContent = asked.title;
    if (!answers.token()) return showIntro();
    await answers.kept();
    state = await answers.state();
    resume();
  } catch (error) {
    if (error instanceof answers.NoRespondent) { answers.forget(); return showIntro(); }
    status.textContent = "The server can't be reached at the moment. Trying again…";
    setTimeout(start, 3000);
  }
}

/** Go to the first view with open questions. */
function resume() {
  status.textContent = "";
  if (!complete(asked.about_respondent, state.answers)) return showAbout();
  showSet(state.sets.findIndex((set) => !complete(asked.about_set, set.answers)));
}

const complete = (questions, given) =>
  questions.every(({name}) => name in given || asked.optional.includes(name));

function show(name, done, where) {
  leave();
  leave = () => {};
  view.replaceChildren(document.getElementById(name).content.cloneNode(true));
  document.getElementById("progress").textContent = where;
  document.getElementById("bar").value = done / (asked.sets + 1);
  scrollTo(0, 0);
  return (selector) => view.querySelector(selector);
}

const focus = () => view.querySelector("h1").focus({preventScroll: true});

function showIntro() {
  const $ = show("intro", 0, "");
  $(".count").textContent = asked.sets === 1 ? "one set" : `${asked.sets} sets`;
  $(".next").addEventListener("click", async () => {
    try {
      await answers.begin();
      state = await answers.state();
      resume();
    } catch {
      status.textContent = "The server did not respond. Please try again.";
    }
  });
}

function showAbout() {
  const $ = show("about", 0, "");
  $(".questions").append(...asked.about_respondent.map((question) => ask(question, null, state.answers, () => mark())));
  const mark = next($, () => complete(asked.about_respondent, state.answers), () => showSet(0));
  focus();
}

function showSet(index) {
  if (index < 0 || index >= state.sets.length) return showEnd();
  const set = state.sets[index];
  const $ = show("set", index + 1, `Set ${index + 1} of ${state.sets.length}`);
  const players = Object.entries(NAMES).map(([place, name]) => player(
    name, `/sounds/${answers.token()}/${set.id}/${place}.wav`, set.plays[place],
    () => players.forEach((each) => each.stop()),
    () => { set.plays[place] += 1; answers.keep("plays", {set: set.id, sound: place}); unlock(); },
  ));
  const forms = asked.about_set.map((question) => ask(question, set.id, set.answers, () => mark()));
  const mark = next($, () => complete(asked.about_set, set.answers), () => showSet(index + 1));
  const unlock = () => {
    const open = players.every((each) => each.heard());
    for (const form of forms) form.disabled = !open;
    $(".hint").textContent = open ? "You can play them as often as you like." : "Please play all three sounds before you answer.";
  };
  $("h1").textContent = `Set ${index + 1}`;
  $(".players").append(...players.map((each) => each.button));
  $(".questions").append(...forms);
  $(".back").addEventListener("click", () => (index ? showSet(index - 1) : showAbout()));
  leave = () => {
    players.forEach((each) => each.stop());
    view.querySelector("textarea").dispatchEvent(new Event("change"));
  };
  unlock();
  focus();
}

async function showEnd() {
  await answers.kept();
  const $ = show("end", asked.sets + 1, "");
  $(".back").addEventListener("click", () => showSet(state.sets.length - 1));
  $(".anew").addEventListener("click", () => { answers.forget(); showIntro(); focus(); });
  focus();
}

/** Set up the button that continues; if an answer is missing, it says so instead. */
function next($, ready, go) {
  const button = $(".next");
  const mark = () => {
    button.setAttribute("aria-disabled", String(!ready()));
    status.textContent = "";
  };
  button.addEventListener("click", () => {
    if (ready()) go();
    else status.textContent = "Please answer every question first.";
  });
  mark();
  return mark;
}

/** A question's form; an answer is saved at once, and stored in `given`. */
function ask(question, set, given, answered) {
  const form = document.createElement("fieldset");
  const legend = form.appendChild(document.createElement("legend"));
  legend.textContent = question.text;
  const give = (value) => {
    given[question.name] = value;
    answers.keep("answers", set === null ? {question: question.name, value} : {set, question: question.name, value});
    answered();
  };
  form.append(question.characters ? textBox(question, given, give) : options(question, given, give));
  return form;
}

function options({name, scale, choices}, given, give) {
  const box = document.createElement("div");
  box.className = scale.length ? "options scale" : "options";
  const entries = scale.length ? scale.map((text, index) => [index + 1, text]) : Object.entries(choices);
  for (const [value, text] of entries) {
    const label = box.appendChild(document.createElement("label"));
    const radio = label.appendChild(document.createElement("input"));
    Object.assign(radio, {type: "radio", name, value, checked: given[name] === value});
    radio.addEventListener("change", () => give(value));
    if (scale.length) label.appendChild(document.createElement("b")).textContent = value;
    label.appendChild(document.createElement("span")).textContent = text;
  }
  return box;
}

function textBox({name, text, characters}, given, give) {
  const box = document.createElement("textarea");
  Object.assign(box, {maxLength: characters, value: given[name] ?? "", ariaLabel: text});
  let timer = 0;
  const save = () => {
    clearTimeout(timer);
    if (box.value !== (given[name] ?? "")) give(box.value);
  };
  box.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(save, TYPING_MILLISECONDS);
  });
  box.addEventListener("change", save);
  return box;
}
