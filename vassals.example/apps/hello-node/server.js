// A fetch handler: a Request comes in, a Response (or a promise of one) goes out.
const greeting = process.env.GREETING ?? "Hello";

export default {
  async fetch(request) {
    const url = new URL(request.url);
    if (url.pathname === "/echo") return new Response(request.body);
    return Response.json({ greeting, path: url.pathname, pid: process.pid });
  },
};
