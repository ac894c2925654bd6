// Knows nothing of tsgi: it takes its port from the environment, as programs for many platforms do.
import { createServer } from "node:http";

const server = createServer((request, response) => {
  response.setHeader("Content-Type", "text/plain; charset=utf-8");
  response.end(`Hello from a program on port ${process.env.PORT}\n`);
});

server.listen(Number(process.env.PORT), "127.0.0.1");
process.on("SIGTERM", () => server.close());
