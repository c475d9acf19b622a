// Unpacks the package's Chromium into the folder that is named, with the libraries it is linked
// with and a font, so that it needs nothing of the system but the C library.
import { inflate } from "@sparticuz/chromium";
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const [folder] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
process.env.TMPDIR = folder; // that is where `inflate` unpacks to
const packed = new URL("../bin/", import.meta.resolve("@sparticuz/chromium"));
for (const archive of ["chromium.br", "al2023.tar.br", "fonts.tar.br"]) {
  await inflate(fileURLToPath(new URL(archive, packed)));
}
