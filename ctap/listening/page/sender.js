// Sends answers to the server, one by one, until all have arrived; without a connection they wait.

const sender = { busy: false, offline: false, refused: "", wait: 1000, timer: 0, changed: () => {} };

function unsent() {
  return session ? Object.entries(session.answers).filter(([, answer]) => !answer.sent) : [];
}

async function put(address, body) {
  // the test's name tells the server that page and file belong together
  const reply = await fetch(address, {
    method: "PUT",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ test: TEST.id, ...body }),
    signal: AbortSignal.timeout ? AbortSignal.timeout(15000) : undefined,
  });
  const value = await reply.json().catch(() => ({}));
  return { status: reply.status, value };
}

function join(listener, name, slot) {
  return put(`api/listeners/${listener}`, slot === null ? { name } : { name, slot });
}

async function sendAnswers() {
  if (!TEST.server || sender.busy || sender.refused || !session) return;
  clearTimeout(sender.timer);
  sender.busy = true;
  const of = session;
  try {
    for (let [next] = unsent(); next && session === of; [next] = unsent()) {
      const [trial, answer] = next;
      const { sent, ...body } = answer;
      const { status, value } = await put(`api/listeners/${of.listener}/answers/${trial}`, body);
      if (status === 404) {
        // the server has a new file: join again with the same share
        const joined = await join(of.listener, of.name, of.slot);
        if (joined.status === 429) {
          sender.refused = joined.value.error || "429";
          break;
        }
        if (joined.status !== 200) throw new Error(joined.value.error || joined.status);
      } else if (status >= 400 && status < 500) {
        sender.refused = value.error || String(status);
        break;
      } else if (status !== 200) {
        throw new Error(String(status));
      } else {
        const now = of.answers[trial];
        if (now.revision === body.revision) now.sent = true;
        if (session === of) keepSession();
        sender.offline = false;
        sender.wait = 1000;
        sender.changed();
      }
    }
    sender.offline = false;
  } catch {
    sender.offline = true;
    sender.timer = setTimeout(sendAnswers, sender.wait);
    sender.wait = Math.min(30000, sender.wait * 2);
  }
  sender.busy = false;
  sender.changed();
}

window.addEventListener("online", sendAnswers);
