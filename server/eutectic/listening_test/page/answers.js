// Sends answers to the server. Each stays in the browser's storage until the server has accepted it,
// so nothing is lost if the page is closed or the network fails.

const TOKEN = "eutectic.token", WAITING = "eutectic.waiting";
const RETRY_MILLISECONDS = 3000;
const ARRIVED = Symbol("arrived");

export class NoRespondent extends Error {}

let sending = null;
let report = () => {};

/** Call `callback(text)` when answers can't be sent, and with "" once they can. */
export function onTrouble(callback) { report = callback; }

export const token = () => localStorage.getItem(TOKEN);

/** Forget the respondent, so that another person can answer in this browser. */
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

/** The progress of this browser's respondent. */
export async function state() { return json(await ask(`respondents/${token()}`)); }

export async function begin() {
  const {token} = await json(await ask("respondents", undefined, "POST"));
  localStorage.setItem(TOKEN, token);
}

/** Store something and send it to the server: `kind` is "answers" or "plays". */
export function keep(kind, body) {
  const waiting = read();
  waiting.push({path: `respondents/${token()}/${kind}`, body});
  write(waiting);
  sending ??= send().finally(() => { sending = null; });
  return sending;
}

/** Resolves once the server has accepted everything stored. */
export async function kept() {
  while (read().length) await (sending ??= send().finally(() => { sending = null; }));
}

const read = () => JSON.parse(localStorage.getItem(WAITING) ?? "[]");
const write = (waiting) => localStorage.setItem(WAITING, JSON.stringify(waiting));

async function send() {
  for (let waiting = read(); waiting.length; waiting = read()) {
    const {path, body} = waiting[0];
    const refusal = await ask(path, body).then(refused, (error) => error);
    if (refusal === ARRIVED) report("");
    else if (refusal instanceof NoRespondent) report("The server no longer knows this questionnaire. Please reload the page.");
    else if (typeof refusal === "string") report(`An answer was not accepted: ${refusal}`);
    else {
      report("Your last answers have not arrived yet. Please leave this page open while it tries again.");
      await new Promise((resolve) => setTimeout(resolve, RETRY_MILLISECONDS));
      continue;
    }
    write(read().slice(1));
  }
}

/** ARRIVED, the server's message if it refuses for good, or an error if it may accept later. */
async function refused(answer) {
  if (answer.ok) return ARRIVED;
  return answer.status < 500 ? answer.text() : new Error();
}
