// An unchanged program that calls listen() by itself; its connections come from the address of the vassal file.
import { createServer } from "node:http";

const server = createServer((request, response) => {
  response.setHeader("Content-Type", "text/plain; charset=utf-8");
  response.end("Hello from a program of its own\n");
});

server.listen(3000, () => console.log("listening"));
