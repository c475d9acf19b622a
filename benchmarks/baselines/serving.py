"""How the plain services are served: as the service is, by `app/cli/serve.py`."""

import os

import uvicorn
from fastapi import FastAPI


def serve(app: FastAPI) -> None:
    """Serve `app` on PORT, in one process."""
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        loop="uvloop",
        http="httptools",
        ws="none",
        access_log=False,
        server_header=False,
        log_level="warning",
    )
