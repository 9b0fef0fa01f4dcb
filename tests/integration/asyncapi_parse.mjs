// Prints the diagnostics of AsyncAPI's own parser for a document, as JSON: folder of the parser, file.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const [folder, file] = process.argv.slice(2);
const { Parser } = createRequire(`${folder}/`)('@asyncapi/parser');
const { document, diagnostics } = await new Parser().parse(readFileSync(file, 'utf8'));
const addresses = document ? document.allChannels().all().map((channel) => channel.address()) : [];
process.stdout.write(JSON.stringify({ diagnostics, addresses }));
