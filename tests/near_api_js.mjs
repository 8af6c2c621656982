// A stranger's reading and writing of NEAR transactions, for tests/test_near_differential.py alone: near-api-js.
//
// Takes a file of JSON, one transaction a line: its fields and our bytes. Writes one line for each: what it read from the
// bytes, and the bytes that it writes from the fields. Numbers beyond 2^53 travel as texts.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [folder, file] = process.argv.slice(2);
const found = createRequire(`${folder}/package.json`).resolve("near-api-js");
const loaded = await import(pathToFileURL(found).href);
const api = loaded.default ?? loaded;
const { Transaction, encodeTransaction } = api.transactions ?? api;

const hex = (bytes) => Buffer.from(bytes).toString("hex");
const bytes = (text) => Uint8Array.from(Buffer.from(text, "hex"));
const key = (text) => ({ ed25519Key: { data: bytes(text) } });
const keyHex = (one) => hex(one.ed25519Key.data);

function read(action) {
  const name = Object.keys(action).find((one) => one !== "enum" && action[one] !== undefined);
  const body = action[name];
  switch (name) {
    case "transfer":
      return ["transfer", String(body.deposit)];
    case "functionCall":
      return ["functionCall", body.methodName, hex(body.args), String(body.gas), String(body.deposit)];
    case "addKey":
      if (!body.accessKey.permission.fullAccess) throw new Error("not full access");
      return ["addKey", keyHex(body.publicKey), String(body.accessKey.nonce)];
    default:
      return [name, keyHex(body.publicKey)];
  }
}

function made([name, ...parts]) {
  switch (name) {
    case "transfer":
      return { transfer: { deposit: BigInt(parts[0]) } };
    case "functionCall":
      return {
        functionCall: {
          methodName: parts[0],
          args: bytes(parts[1]),
          gas: BigInt(parts[2]),
          deposit: BigInt(parts[3]),
        },
      };
    case "addKey":
      return {
        addKey: {
          publicKey: key(parts[0]),
          accessKey: { nonce: BigInt(parts[1]), permission: { fullAccess: {} } },
        },
      };
    default:
      return { deleteKey: { publicKey: key(parts[0]) } };
  }
}


for (const line of readFileSync(file, "utf-8").trim().split("\n")) {
  const given = JSON.parse(line);
  const one = Transaction.decode(bytes(given.bytes));
  const built = new Transaction({
    signerId: given.signer,
    publicKey: key(given.key),
    nonce: BigInt(given.nonce),
    receiverId: given.receiver,
    blockHash: bytes(given.block),
    actions: given.actions.map(made),
  });
  const seen = {
    signer: one.signerId,
    key: keyHex(one.publicKey),
    nonce: String(one.nonce),
    receiver: one.receiverId,
    block: hex(one.blockHash),
    actions: one.actions.map(read),
    bytes: hex(encodeTransaction(built)),
  };
  console.log(JSON.stringify(seen));
}
