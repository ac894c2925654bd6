// An Express application could be exported here as it is: it is such a listener too.
export default function listener(request, response) {
  if (request.url === "/healthz") {
    response.writeHead(204).end();
    return;
  }
  response.setHeader("Content-Type", "text/plain; charset=utf-8");
  response.end(`Hello from a listener at ${request.url}\n`);
}
