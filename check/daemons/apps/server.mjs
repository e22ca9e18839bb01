// A server that stops as most say that one should in Node.js: server.close() on the signal. Its /slow takes a second.
import http from "node:http";

const server = http.createServer((request, response) => {
  request.resume();
  request.on("end", () => setTimeout(() => response.end("hello\n"), request.url === "/slow" ? 1000 : 0));
});
server.listen(Number(process.argv[2]), "127.0.0.1");
for (const signal of ["SIGTERM", "SIGINT"]) {
  process.on(signal, () => server.close());
}
