"""Apps for test_serving.py, in a module that the server's process imports quickly."""


def say(word, stubborn=False):
    """An app for the tests.  stubborn: it takes no notice of being asked to leave."""
    import os
    import signal

    from starlette.applications import Starlette
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    async def answer(request):
        if stubborn:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        return JSONResponse({"word": word, "threads": os.environ["OMP_NUM_THREADS"]})

    return Starlette(routes=[Route("/", answer)])


def broken(ready):
    raise ValueError("no such model")


def slow(ready):
    import time

    time.sleep(60)
