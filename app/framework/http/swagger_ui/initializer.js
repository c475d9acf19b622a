"use strict";

// Swagger UI would look for each issuer of tokens, and the page calls nothing but the service.
const forgetIssuers = (update) => (spec) => {
  const schemes = spec.components?.securitySchemes ?? {};
  for (const [name, scheme] of Object.entries(schemes)) {
    if (scheme.type === "openIdConnect") {
      delete schemes[name];
    }
  }
  return update(spec);
};

const ui = SwaggerUIBundle({
  dom_id: "#swagger-ui",
  url: "openapi.json",
  deepLinking: true,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  validatorUrl: null, // no server of others is told of the document
  plugins: [{ statePlugins: { spec: { wrapActions: { updateJsonSpec: forgetIssuers } } } }],
  onComplete: authorize,
});

// In development the service hands this page a token; elsewhere people paste one of their own.
async function authorize() {
  const source = document.querySelector("meta[name=token]");
  const answer = source && (await fetch(source.content, { method: "POST" }));
  if (answer?.ok) {
    ui.preauthorizeApiKey("bearer", (await answer.json()).token);
  }
}
