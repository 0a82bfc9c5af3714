// Posts events by the CloudEvents JavaScript SDK: `node client.mjs URL structured|binary|batch < events.json`.
// Prints {"accepted": whether the server took them, "answer": what it answered, or why the SDK sent nothing}.
import { text } from "node:stream/consumers";
import { CONSTANTS, CloudEvent, Mode, emitterFor, httpTransport } from "cloudevents";

// The SDK reads batches and writes none, but its events serialise themselves and its transport sends any message.
const batchOf = (events) => ({
  headers: { [CONSTANTS.HEADER_CONTENT_TYPE]: CONSTANTS.MIME_CE_BATCH },
  body: JSON.stringify(events),
});

async function post(url, mode, events) {
  const transport = httpTransport(url);
  if (mode === Mode.BATCH) {
    return transport(batchOf(events));
  }
  const emit = emitterFor(transport, { mode });
  return emit(events[0]);
}

const [url, mode] = process.argv.slice(2);
const posted = JSON.parse(await text(process.stdin));
try {
  const { body } = await post(url, mode, posted.map((event) => new CloudEvent(event)));
  console.log(JSON.stringify({ accepted: "receipts" in JSON.parse(body), answer: body }));
} catch (error) {
  console.log(JSON.stringify({ accepted: false, answer: `not sent: ${error.message}` }));
}
