// What the server is told. Whatever was answered lies in the browser's storage until the server
// has taken it: a page that is closed, or a network that is gone, loses nothing.

const TOKEN = "eutectic.token", WAITING = "eutectic.waiting";
const RETRY_MILLISECONDS = 3000;
const ARRIVED = Symbol("arrived");

export class NoRespondent extends Error {}

let sending = null;
let tell = () => {};

/** Call `told(text)` with what stands in the way of the answers, and with "" once nothing does. */
export function onTrouble(told) { tell = told; }

export const token = () => localStorage.getItem(TOKEN);

/** The next to answer in this browser is another person. */
export function forget() { localStorage.removeItem(TOKEN); }

async function ask(path, body, method = body === undefined ? "GET" : "POST") {
  const answer = await fetch(`/api/${path}`, {
    method, keepalive: method === "POST", body: body && JSON.stringify(body),
    headers: body ? {"content-type": "application/json"} : {},
  });
  if (answer.status === 404) throw new NoRespondent(await answer.text());
  return answer;
}

async function json(answer) {
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

export const questions = async () => json(await ask("questions"));

/** How far the respondent of this browser has come. */
export async function state() { return json(await ask(`respondents/${token()}`)); }

export async function begin() {
  const {token} = await json(await ask("respondents", undefined, "POST"));
  localStorage.setItem(TOKEN, token);
}

/** Keep something for the server: `kind` is "answers" or "plays". */
export function keep(kind, body) {
  const waiting = read();
  waiting.push({path: `respondents/${token()}/${kind}`, body});
  write(waiting);
  sending ??= send().finally(() => { sending = null; });
  return sending;
}

/** Resolves once the server has taken all that was kept. */
export async function kept() {
  while (read().length) await (sending ??= send().finally(() => { sending = null; }));
}

const read = () => JSON.parse(localStorage.getItem(WAITING) ?? "[]");
const write = (waiting) => localStorage.setItem(WAITING, JSON.stringify(waiting));

async function send() {
  for (let waiting = read(); waiting.length; waiting = read()) {
    const {path, body} = waiting[0];
    const refusal = await ask(path, body).then(refused, (error) => error);
    if (refusal === ARRIVED) tell("");
    else if (refusal instanceof NoRespondent) tell("You are not known here any more. Please load the page again.");
    else if (typeof refusal === "string") tell(`An answer was not taken: ${refusal}`);
    else {
      tell("Your last answers have not arrived yet. This page tries again; please leave it open.");
      await new Promise((resolve) => setTimeout(resolve, RETRY_MILLISECONDS));
      continue;
    }
    write(read().slice(1));
  }
}

/** ARRIVED, the server's words where it will never take this, or an error where it may yet. */
async function refused(answer) {
  if (answer.ok) return ARRIVED;
  return answer.status < 500 ? answer.text() : new Error();
}
