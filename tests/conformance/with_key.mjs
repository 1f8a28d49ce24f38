// A proxy between the suite, which speaks plain HTTP without keys, and a server of ours: adds the key, speaks TLS, and
// changes nothing else. Prints the url for the suite.
// Reads RASTERD_URL and RASTERD_API_KEY; Node trusts the server by NODE_EXTRA_CA_CERTS.
import http from "node:http";
import https from "node:https";

const server = new URL(process.env.RASTERD_URL);
const agent = new https.Agent({ keepAlive: true });

const proxy = http.createServer((asked, answer) => {
    const ours = `localhost:${proxy.address().port}`;
    const headers = { ...asked.headers, authorization: `Bearer ${process.env.RASTERD_API_KEY}` };
    // The suite's name for this proxy becomes the server's own name. Other names stay.
    if (headers.host === ours) headers.host = server.host;
    if (headers.origin === `http://${ours}`) headers.origin = server.origin;
    const options = { agent, method: asked.method, headers, servername: server.hostname };
    const forwarded = https.request(new URL(asked.url, server), options, (reply) => {
        answer.writeHead(reply.statusCode, reply.headers);
        reply.pipe(answer);
    });
    forwarded.on("error", (error) => answer.destroy(error));
    answer.on("close", () => forwarded.destroy());
    asked.pipe(forwarded);
});
proxy.listen(0, "127.0.0.1", () => console.log(`http://localhost:${proxy.address().port}/mcp`));
