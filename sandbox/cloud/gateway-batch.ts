/** `POST /batch/storage/v1`: several requests in one, each checked by itself. Source: "Batch requests". */
import type { IncomingMessage, ServerResponse } from "node:http";
import { CloudError } from "../lib/types";
import { errorBody } from "./gateway";
import { type Request, requestOf } from "./gateway-permissions";

interface Part {
  id: string;
  method: string;
  path: string;
  body: string;
}

const ANSWER_BOUNDARY = "batch_answer";

/** Answers each part with what the storage server, or the check, says to it. */
export async function answerBatch(
  request: IncomingMessage,
  response: ServerResponse,
  options: { upstream: string; check(part: Request): Promise<void> },
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const parts = batchParts(Buffer.concat(chunks).toString("utf8"), request.headers["content-type"] ?? "");
  const answers = await Promise.all(parts.map((part) => answerPart(part, options)));
  response.writeHead(200, { "content-type": `multipart/mixed; boundary=${ANSWER_BOUNDARY}` });
  response.end(`${answers.join("")}--${ANSWER_BOUNDARY}--\r\n`);
}

async function answerPart(
  part: Part,
  { upstream, check }: { upstream: string; check(part: Request): Promise<void> },
): Promise<string> {
  try {
    await check(requestOf(part.method, new URL(part.path, upstream)));
    const answer = await fetch(new URL(part.path, upstream), {
      method: part.method,
      ...(part.body ? { body: part.body, headers: { "content-type": "application/json" } } : {}),
    });
    return written(part.id, answer.status, answer.statusText, await answer.text());
  } catch (error) {
    const { status, reason, message } =
      error instanceof CloudError ? error : { status: 503, reason: "backendError", message: String(error) };
    return written(part.id, status, reason, errorBody(status, reason, message));
  }
}

function written(id: string, status: number, text: string, body: string): string {
  const lines = [
    `--${ANSWER_BOUNDARY}`,
    "Content-Type: application/http",
    `Content-ID: <response-${id}>`,
    "",
    `HTTP/1.1 ${status} ${text || "OK"}`,
    "Content-Type: application/json; charset=UTF-8",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "",
    body,
    "",
  ];
  return lines.join("\r\n");
}

/** The requests inside a batch. */
export function batchParts(body: string, contentType: string): Part[] {
  const boundary = /boundary="?([^";]+)"?/.exec(contentType)?.[1];
  if (!boundary) throw new CloudError(400, "badRequest", "a batch needs a boundary");
  return body
    .split(`--${boundary}`)
    .slice(1, -1)
    .map((text) => {
      const [outer = "", inner = "", ...rest] = text.trim().split(/\r?\n\r?\n/);
      const id = /content-id:\s*<?([^>\r\n]+)>?/i.exec(outer)?.[1] ?? "";
      const [method = "", path = ""] = (inner.split(/\r?\n/)[0] ?? "").split(" ");
      return { id, method, path, body: rest.join("\r\n\r\n").trim() };
    });
}
