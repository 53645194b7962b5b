/** `POST /batch/storage/v1`: several requests in one, each answered as if it came by itself. Source: "Batch requests". */
import type { IncomingMessage, ServerResponse } from "node:http";
import { CloudError } from "../lib/types";

interface Part {
  id: string;
  method: string;
  path: string;
  body: string;
}

const ANSWER_BOUNDARY = "batch_answer";

/** Answers each part with what the gateway at this address says to it, to the caller of the whole. */
export async function answerBatch(request: IncomingMessage, response: ServerResponse, endpoint: string): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { authorization, "content-type": contentType = "" } = request.headers;
  const parts = batchParts(Buffer.concat(chunks).toString("utf8"), contentType);
  const answers = await Promise.all(
    parts.map(async ({ id, method, path, body }) => {
      const answer = await fetch(new URL(path, endpoint), {
        method,
        headers: {
          ...(authorization ? { authorization } : {}),
          ...(body ? { "content-type": "application/json" } : {}),
        },
        ...(body ? { body } : {}),
      });
      return written(id, answer.status, answer.statusText, await answer.text());
    }),
  );
  response.writeHead(200, { "content-type": `multipart/mixed; boundary=${ANSWER_BOUNDARY}` });
  response.end(`${answers.join("")}--${ANSWER_BOUNDARY}--\r\n`);
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
