// The one nginx in front of all contenders: a pair of ports for each.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { answers, freePort, listens, shell, start } from './processes.mjs';

// As production has it, but under names of this instance; and, since all load
// comes from one address, there are no limits for each.
const snippet = (root, name, id) => fs.readFileSync(
	path.join(root, `nginx/snippets/stripehook-${name}.conf`), 'utf8')
	.replace(/^.*stripehook-errors.*$/m, '')
	.replaceAll(/stripehook_(ingest|status);/g, `${id}_$1;`);

const upstream = (name, socket) => `
	upstream ${name} {
		server "unix:${socket}" max_fails=0;
		server "unix:${socket}" max_fails=0;
	}`;

const kinds = {
	stripehook: (root, { id, ingest, status }) => [
		upstream(`${id}_ingest`, ingest) + upstream(`${id}_status`, status),
		`location ~ "^/api/webhooks/stripe/?\\z" {
			${snippet(root, 'webhook', id)}
		}
		location ^~ /api/webhooks/status/ {
			${snippet(root, 'status', id)}
		}
		${snippet(root, 'server', id)}`],
	fastcgi: (root, { id, ingest }) => [upstream(`${id}_ingest`, ingest),
		`location ~ "^/api/webhooks/stripe/?\\z" {
			${snippet(root, 'webhook', id)}
		}`],
	proxy: (root, { id, ingest }) => [`
	upstream ${id} {
		server "unix:${ingest}" max_fails=0;
		keepalive 64;
	}`, `location /api/webhooks/stripe/ {
			client_max_body_size 1m;
			client_body_buffer_size 1m;
			proxy_http_version 1.1;
			proxy_set_header Connection "";
			proxy_set_header Host $host;
			proxy_pass http://${id};
		}`],
	nothing: () => ['', `location /api/webhooks/stripe/ {
			return 200 '{"received":true}';
		}`],
};

// As many as may be: thousands are parked, and each counts twice.
const FILES = Math.min(65536, Number(execFileSync('sh', ['-c', 'ulimit -Hn'],
	{ encoding: 'utf8' }).trim()) || 65536);

const PAGE = (dir, text) => `
${process.getuid() === 0 ? 'user root;' : ''}
daemon off;
worker_processes auto;
worker_rlimit_nofile ${FILES};
pid "${dir}/nginx.pid";
error_log "${dir}/error.log" error;

events {
	worker_connections ${FILES - 64};
	multi_accept on;
}

http {
	client_body_temp_path "${dir}/body";
	fastcgi_temp_path "${dir}/fastcgi";
	proxy_temp_path "${dir}/proxy";
	scgi_temp_path "${dir}/scgi";
	uwsgi_temp_path "${dir}/uwsgi";
	include snippets/stripehook-origins.conf;
	include snippets/stripehook-http.conf;
	access_log "${dir}/access.log" stripehook;
	ssl_certificate "${dir}/localhost.pem";
	ssl_certificate_key "${dir}/localhost.key";
	ssl_protocols TLSv1.2 TLSv1.3;
	ssl_session_tickets off;
	ssl_session_cache shared:bench:1m;
${text}
}
`;

const site = (root, place) => {
	const [before, inside] = kinds[place.kind](root, place);
	return `${before}
	server {
		listen 127.0.0.1:${place.http} backlog=4096 reuseport;
		listen 127.0.0.1:${place.https} ssl backlog=4096 reuseport;
		set $stripehook_hsts "";
		include snippets/stripehook-errors.conf;
		${inside}
	}`;
};

// places: of the contenders. Each gets its ports.
export async function startWeb(bench, places) {
	const dir = path.join(bench.state, 'nginx');
	fs.rmSync(dir, { recursive: true, force: true });
	fs.mkdirSync(dir, { recursive: true });
	await shell(bench, 'make_certificate', dir);
	fs.symlinkSync(path.join(bench.root, 'nginx/snippets'),
		path.join(dir, 'snippets'));
	for (const place of places) {
		place.http = await freePort();
		place.https = await freePort();
	}
	const file = path.join(dir, 'nginx.conf');
	fs.writeFileSync(file, PAGE(dir, places.map((place) =>
		site(bench.root, place)).join('\n')));
	const log = path.join(dir, 'error.log');
	const server = start('nginx',
		['nginx', '-e', log, '-p', dir, '-c', file], { log });
	await answers(server, () => listens(places.at(-1).https));
	return server;
}
