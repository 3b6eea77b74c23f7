"""rag/llm.py against a server that fails in every way: the reader gets one line in time, the key goes nowhere."""

import logging
import re
import time
import traceback

import fake_model
import pytest
from fake_model import KEY, NAME, FakeModel, Reply

from rag.llm import Model, ModelError, Piece, complete, configured, write

MESSAGES = [{"role": "system", "content": "Answer."}, {"role": "user", "content": "What is the tallest tower?"}]
TEXT = "The tower is 324 metres high. [1] It stands in Paris. [2][3]"
SECONDS = 1.5  # the total deadline of a test
HOUR = 3600

BAD_KEY = fake_model.fails(401, "Incorrect API key provided", "invalid_api_key")
TOO_LONG = fake_model.fails(400, "This model's maximum context length is 8192 tokens", "context_length_exceeded")
WAIT = fake_model.fails(429, "Rate limit reached", "rate_limit_exceeded")


def faults(text: str) -> dict[str, tuple[Reply, str]]:
    """What a server can do, after it said the text where it says something, and what the person is told beside the
    place: what is wrong and, where there is a way, how to mend it."""
    return {
        "401": (BAD_KEY, "OPENAI_API_KEY"),
        "401, try again": (fake_model.fails(401, "No", x_should_retry="true"), "OPENAI_API_KEY"),
        "403": (fake_model.fails(403, "Country not supported"), "403.*PINCITE_MODEL"),
        "404": (fake_model.fails(404, "The model does not exist", "model_not_found"), f"{NAME}.*PINCITE_MODEL"),
        "400, context too long": (TOO_LONG, "400.*context"),
        "429 for ever": (WAIT, "429|did not answer in"),
        "429 for an hour": (fake_model.fails(429, "Slow down", retry_after=str(HOUR)), "429"),
        "429 for an hour, in milliseconds": (fake_model.fails(429, "Slow down", retry_after_ms=f"{HOUR}000"), "429"),
        "429 until a date": (fake_model.fails(429, "No", retry_after="Wed, 21 Oct 2099 07:28:00 GMT"), "429"),
        "500": (fake_model.fails(500, "The server had an error"), "500|did not answer in"),
        "502 with a page": (fake_model.page(502), "502|did not answer in"),
        "silent": (fake_model.silent, "did not answer in"),
        "drip": (fake_model.drips, "did not answer in"),
        "drip of headers": (fake_model.drips_headers, "did not answer in"),
        "a token a second": (fake_model.says(text, pause=1.0), "did not answer in"),
        "stalled": (fake_model.stalls(text), "did not answer in"),
        "cut": (fake_model.cut(text), "broke off"),
        "reset": (fake_model.reset(text), "broke off|cannot be reached"),
        "cut by length": (fake_model.says(text, finish="length"), "longest"),
        "cut by a filter": (fake_model.says(text, finish="content_filter"), "withheld"),
        "no JSON": (fake_model.goes_on_with(text, 'data: {"choices": [{"delta"'), "not an answer"),
        "a list": (fake_model.goes_on_with(text, "data: [1, 2]"), "broke off|not an answer"),
        "a number": (fake_model.goes_on_with(text, "data: 7"), "broke off|not an answer"),
        "choices are text": (fake_model.goes_on_with(text, 'data: {"choices": "yes"}'), "not an answer"),
        "choices are null": (fake_model.goes_on_with(text, 'data: {"choices": [null, 1, {}]}'), "not an answer"),
        "error in the stream": (
            fake_model.goes_on_with(text, 'data: {"error": {"message": "out of memory", "code": 500}}'),
            "not an answer|failed",
        ),
        "error event in the stream": (
            fake_model.goes_on_with(text, 'event: error\ndata: {"error": {"message": "out of memory"}}'),
            "not an answer|failed",
        ),
        "not UTF-8": (fake_model.breaks_off(text, lambda wire: wire.send(b'data: {"\xff\xfe": 1}\n\n')), ""),
        "content is a list": (
            fake_model.goes_on_with(
                "", 'data: {"choices": [{"delta": {"content": [{"type": "text", "text": "Hi"}]}}]}'
            ),
            "broke off|not an answer",
        ),
        "captive portal": (fake_model.page(200), "broke off|not an answer"),
        "endless text": (fake_model.endless("more and more words "), "more than an answer|did not answer in|on and on"),
        "endless line": (fake_model.endless_line, "more than an answer"),
        "gzip bomb": (fake_model.gzip_bomb, "compressed"),
        "redirect": (fake_model.redirects(fake_model.refused_address()), "307.*OPENAI_BASE_URL"),
        "key in the error": (fake_model.tells_the_key(401), "OPENAI_API_KEY"),
    }


FAULTS = faults(TEXT)


def model_at(address: str, seconds: float = SECONDS) -> Model:
    return Model(NAME, KEY, address, seconds)


def read(model: Model) -> list[Piece]:
    return list(write(model, MESSAGES, time.monotonic() + model.seconds))


def failure(model: Model) -> ModelError:
    """What is raised, in time, after whatever was said."""
    began = time.monotonic()
    with pytest.raises(ModelError) as raised:
        read(model)
    assert time.monotonic() - began < model.seconds + 1
    return raised.value


def test_the_words_come_as_they_are_written_and_the_usage_at_the_end() -> None:
    with FakeModel(fake_model.says(TEXT)) as fake:
        pieces = read(model_at(fake.address, 10))
    assert "".join(piece.text for piece in pieces) == TEXT
    assert len(pieces) > 5
    assert [piece.usage for piece in pieces[:-1]] == [None] * (len(pieces) - 1)
    usage = pieces[-1].usage
    assert usage is not None
    assert (usage.model, usage.dollars) == (NAME, None)
    assert usage.input_tokens == len(fake.requests[0].said) // 4
    assert usage.output_tokens == len(TEXT) // 4 + 1


def test_what_is_sent_is_the_messages_and_the_key_and_nothing_else() -> None:
    with FakeModel(fake_model.says(TEXT)) as fake:
        assert complete(model_at(fake.address, 10), MESSAGES, time.monotonic() + 10)[0] == TEXT
    (request,) = fake.requests
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["accept-encoding"] == "identity"
    assert request.body["messages"] == MESSAGES
    assert (request.body["model"], request.body["stream"]) == (NAME, True)
    assert not request.body.keys() & {"tools", "tool_choice", "functions", "user", "store", "metadata"}
    assert KEY not in str(request.body)


def test_the_first_words_are_there_before_the_last_are_written() -> None:
    with FakeModel(fake_model.stalls(TEXT)) as fake:
        assert next(write(model_at(fake.address, 10), MESSAGES, time.monotonic() + 10)).text


def test_a_server_that_sends_no_usage_is_no_failure() -> None:
    end = 'data: {"choices": [{"index": 0, "delta": {"content": null}, "finish_reason": "stop"}], "usage": null}'
    with FakeModel(fake_model.goes_on_with(TEXT, ": comment", end)) as fake:
        text, usage = complete(model_at(fake.address, 10), MESSAGES, time.monotonic() + 10)
    assert text == TEXT
    assert (usage.input_tokens, usage.output_tokens, usage.dollars) == (None, None, None)


def test_an_empty_answer_is_an_answer_without_words() -> None:
    with FakeModel(fake_model.says("")) as fake:
        assert [piece.text for piece in read(model_at(fake.address, 10))] == [""]


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_is_one_line_in_time(fault: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    reply, told = FAULTS[fault]
    with FakeModel(reply) as fake:
        error = failure(model_at(fake.address))
        place = fake.address.removeprefix("http://").removesuffix("/v1")
        assert len(fake.requests) <= 3
    check_line(str(error), place, told)
    check_secret(error, caplog)


def check_line(line: str, place: str, told: str) -> None:
    assert line.isprintable()  # so: one line
    assert len(line) < 200
    assert place in line
    assert re.search(told, line)
    for words in ("Traceback", "Incorrect API key provided", "Rate limit reached", "out of memory", "hotel", "doctype"):
        assert words not in line  # of the server


def check_secret(error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    """Neither in the error, nor in what it was raised from as a traceback shows it, nor in a log of any package."""
    shown = "".join(traceback.format_exception(error)) + repr(error) + repr(error.args) + repr(vars(error))
    logged = caplog.text + "".join(repr(record.args) for record in caplog.records)
    assert logged  # the packages below do log
    for secret in (KEY, KEY[3:15], KEY[-8:]):
        assert secret not in shown
        assert secret not in logged


@pytest.mark.parametrize(
    "fault", ["401", "403", "404", "400, context too long", "429 for an hour", "redirect", "401, try again"]
)
def test_what_would_fail_again_is_asked_once(fault: str) -> None:
    with FakeModel(FAULTS[fault][0]) as fake:
        failure(model_at(fake.address))
        assert len(fake.requests) == 1


@pytest.mark.parametrize(
    "reply",
    [WAIT, fake_model.fails(429, "Slow down", retry_after="1"), fake_model.fails(500, "Oh"), fake_model.page(502)],
    ids=["429", "429 with Retry-After", "500", "502"],
)
def test_a_passing_failure_is_tried_again(reply: Reply) -> None:
    with FakeModel(reply, fake_model.says(TEXT)) as fake:
        assert "".join(piece.text for piece in read(model_at(fake.address, 10))) == TEXT
        assert len(fake.requests) == 2


@pytest.mark.parametrize("wait", ["6", "3600", "1e9", "inf", "nan", "-1", "Wed, 21 Oct 2099 07:28:00 GMT", "8000 ms"])
def test_no_long_wait_because_a_server_says_so(wait: str) -> None:
    began = time.monotonic()
    asks = {"retry_after_ms": wait[:-3]} if wait.endswith(" ms") else {"retry_after": wait}
    with FakeModel(fake_model.fails(429, "Slow down", **asks)) as fake:
        failure(model_at(fake.address, 30))
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with FakeModel(fake_model.says(TEXT)) as other, FakeModel(fake_model.redirects(other.address, status)) as fake:
        failure(model_at(fake.address))
        assert not other.requests


@pytest.mark.parametrize("reply", [fake_model.endless_line, fake_model.endless("word " * 1000), fake_model.gzip_bomb])
def test_no_more_is_read_than_an_answer_can_hold(reply: Reply) -> None:
    with FakeModel(reply) as fake:
        failure(model_at(fake.address, 10))
        assert fake.is_left(5)
        assert fake.sent < 40_000_000  # with what the buffers of the connections hold


def test_the_server_is_left_when_the_reader_leaves() -> None:
    with FakeModel(fake_model.endless("word ", pause=0.05)) as fake:
        pieces = write(model_at(fake.address, 60), MESSAGES, time.monotonic() + 60)
        next(pieces)
        del pieces
        assert fake.is_left(2)


@pytest.mark.parametrize("fault", ["silent", "drip", "drip of headers", "a token a second", "stalled", "endless text"])
def test_a_call_that_was_given_up_ends(fault: str) -> None:
    with FakeModel(FAULTS[fault][0]) as fake:
        failure(model_at(fake.address))
        assert fake.is_left(2)


def test_nothing_is_sent_after_giving_up() -> None:
    """A request that took too long is not repeated for a reader who has left: it would be paid for."""
    with FakeModel(fake_model.silent) as fake:
        failure(model_at(fake.address, 0.5))
        time.sleep(2)
        assert len(fake.requests) == 1


def test_a_slow_reader_does_not_get_more_time() -> None:
    """Words that wait to be read do not keep an endless answer going: what is checked slowly ends in time too."""
    with FakeModel(fake_model.endless("word " * 2000)) as fake:
        began = time.monotonic()
        pieces = write(model_at(fake.address), MESSAGES, began + SECONDS)
        with pytest.raises(ModelError):
            [time.sleep(0.02) for _ in pieces]
        assert time.monotonic() - began < SECONDS + 1


def test_a_deadline_that_has_passed_asks_nobody_for_long() -> None:
    with FakeModel(fake_model.silent) as fake, pytest.raises(ModelError, match="did not answer in"):
        list(write(model_at(fake.address), MESSAGES, time.monotonic() - 1))


@pytest.mark.parametrize("address", [fake_model.refused_address(), fake_model.NOWHERE, "https://127.0.0.1:1/v1"])
def test_a_server_that_is_not_there(address: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    error = failure(model_at(address, 3))
    place = address.split("/")[2]
    check_line(str(error), place, "cannot be reached.*OPENAI_BASE_URL|did not answer in")
    check_secret(error, caplog)


def test_plain_http_behind_an_https_address_cannot_be_reached() -> None:
    with FakeModel(fake_model.says(TEXT)) as fake:
        error = failure(model_at(fake.address.replace("http:", "https:"), 10))
    assert "cannot be reached" in str(error)


def test_the_key_is_not_part_of_what_a_model_shows() -> None:
    model = model_at("http://127.0.0.1:1/v1")
    assert KEY not in f"{model} {model!r} {model.host} {[model]}"
    assert model_at(f"http://me:{KEY}@127.0.0.1:1/v1").host == "127.0.0.1:1"


def test_a_log_at_debug_holds_no_key(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("openai", "httpx2", "httpcore2", "httpcore"):
        caplog.set_level(logging.DEBUG, name)
    with FakeModel(fake_model.tells_the_key(401), fake_model.tells_the_key(200)) as fake:
        error = failure(model_at(fake.address))
        read(model_at(fake.address, 10))
    assert {record.name.split(".")[0] for record in caplog.records} >= {"openai", "httpx2"}
    check_secret(error, caplog)


def test_no_model_is_configured_by_nothing() -> None:
    assert configured({}) is None
    assert configured({"OPENAI_API_KEY": " ", "OPENAI_BASE_URL": ""}) is None


@pytest.mark.parametrize(
    ("host", "near"),
    [
        ("127.0.0.1:8000", True),
        ("192.168.1.20", True),
        ("[::1]:8000", True),
        ("gpu-box", True),
        ("gpu.lan:8000", True),
        ("93.184.216.34", False),
        ("models.example.com", False),
    ],
)
def test_the_key_goes_in_clear_to_no_public_host(host: str, near: bool) -> None:
    environ = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": f"http://{host}/v1", "PINCITE_MODEL": NAME}
    if near:
        assert configured(environ)
    else:
        with pytest.raises(ModelError, match="use https"):
            configured(environ)
    assert configured(environ | {"OPENAI_BASE_URL": f"https://{host}/v1"})
    assert configured({key: value for key, value in environ.items() if key != "OPENAI_API_KEY"})


def test_what_the_environment_says_is_the_model() -> None:
    ours = {"OPENAI_API_KEY": f"{KEY}\n", "PINCITE_MODEL": NAME}
    assert configured({"OPENAI_API_KEY": KEY}) == Model("gpt-5-mini", KEY)
    assert configured(ours) == Model(NAME, KEY)
    assert configured(ours, "other") == Model("other", KEY)
    assert configured(ours, "quotes") is configured(ours | {"PINCITE_MODEL": "quotes"}) is None
    local = configured({"OPENAI_BASE_URL": "http://localhost:11434/v1", "PINCITE_MODEL": NAME})
    assert local is not None
    assert (local.name, local.address, local.host) == (NAME, "http://localhost:11434/v1", "localhost:11434")


@pytest.mark.parametrize(
    ("environ", "name", "told"),
    [
        ({}, "gpt-5", "OPENAI_API_KEY"),
        ({"OPENAI_API_KEY": f"{KEY}é"}, None, "OPENAI_API_KEY"),
        ({"OPENAI_API_KEY": f"{KEY} {KEY}"}, None, "OPENAI_API_KEY"),
        ({"OPENAI_BASE_URL": "http://localhost:1/v1"}, None, "PINCITE_MODEL"),
        *[
            ({"OPENAI_BASE_URL": address, "OPENAI_API_KEY": KEY}, NAME, "OPENAI_BASE_URL")
            for address in (
                "localhost:1/v1",
                "http://",
                "http://[::1",
                "http://h:99999",
                "http://h:x",
                "file:///etc",
                f"http://me:{KEY}@h",
            )
        ],
    ],
)
def test_settings_that_cannot_be_used_say_which_one(environ: dict[str, str], name: str | None, told: str) -> None:
    with pytest.raises(ModelError, match=told) as raised:
        configured(environ, name)
    assert str(raised.value).isprintable()
    assert KEY not in "".join(traceback.format_exception(raised.value))
