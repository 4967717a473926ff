"""A local model as a LangChain chat model, with tool calls that always parse.

Messages become a prompt through the model file's own chat template. Tool calls are held to the tools' schemas
by a grammar while they are written, so an argument of the wrong type cannot occur.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import uuid4

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, convert_to_openai_messages
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import ToolCall, invalid_tool_call, tool_call, tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from langchain_core.utils.json_schema import dereference_refs
from pydantic import ConfigDict, Field

from agent.models.grammar import tool_grammar
from agent.models.job import Completion, Job, Request
from agent.models.sampling import Sampling
from agent.models.template import render
from agent.models.worker import LlamaWorker
from knowledge.errors import ModelError

_OPENING, _CLOSING = "<tool_call>\n", "\n</tool_call>"  # how the Qwen and Hermes families mark calls
_PLAIN_TOOLS = (
    "You may call one of these tools. To call one, answer with nothing but a JSON object "
    '{{"name": …, "arguments": …}}.\n{tools}'
)


class LlamaChatModel(BaseChatModel):
    """A chat model that runs in this process.

    Attributes:
        worker: the model.
        max_tokens: the most tokens of an answer.
        temperature: 0 gives the likeliest answer; above, answers are drawn with ``seed``.
        top_k: see ``Sampling``.
        top_p: see ``Sampling``.
        seed: see ``Sampling``.
        deadline_s: seconds, waiting included, after which an answer is cut off.
        thinking: whether models that can think aloud first do so.
        logprobs: whether ``response_metadata`` carries ``logprobs``, one a token, and ``mean_logprob``.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    worker: LlamaWorker = Field(exclude=True)
    max_tokens: int = 512
    temperature: float = 0.0
    top_k: int = 40
    top_p: float = 0.95
    seed: int = 0
    deadline_s: float | None = None
    thinking: bool = False
    logprobs: bool = False

    @property
    def _llm_type(self) -> str:
        return "llama.cpp"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        file = self.worker.file
        return {"model": file.name, "sha256": file.sha256, "temperature": self.temperature, "seed": self.seed}

    def get_token_ids(self, text: str) -> list[int]:
        """The tokens of a text, by the model's own vocabulary."""
        return self.worker.tokenize(text, special=False)

    def get_num_tokens_from_messages(
        self, messages: list[BaseMessage], tools: Sequence[Any] | None = None
    ) -> int:
        """How many tokens of context a conversation takes, template included."""
        return self.worker.count_tokens(
            self._prompt(messages, [convert_to_openai_tool(t) for t in tools or ()])
        )

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """This model with tools on offer.

        Args:
            tools: tools, functions, pydantic classes or OpenAI tool schemas.
            tool_choice: ``any`` or ``required`` forces a call, a tool's name forces that one, ``none``
                forbids calls; by default the model chooses between a call and words.
            kwargs: passed on to each call.
        """
        kwargs.pop("ls_structured_output_format", None)  # LangChain's note for its tracer
        offered = [convert_to_openai_tool(tool) for tool in tools]
        names = {tool["function"]["name"] for tool in offered}
        if tool_choice not in {None, "auto", "any", "required", "none", *names}:
            raise ModelError(f"No tool is called {tool_choice!r}. There are {', '.join(sorted(names))}.")
        return self.bind(tools=offered, tool_choice=tool_choice, **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        job = self._submit(messages, stop, kwargs)
        try:
            completion = job.result()
        finally:
            job.cancel()  # nothing to stop unless the wait was interrupted
        content, calls, broken = _understood(completion, bool(kwargs.get("tools")))
        message = AIMessage(
            content=content,
            tool_calls=calls,
            invalid_tool_calls=[invalid_tool_call(name=None, args=broken, id=None, error="cut off")]
            * bool(broken),
            usage_metadata=_usage(completion),
            response_metadata=self._metadata(completion),
        )
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        job = self._submit(messages, stop, kwargs)
        has_tools = bool(kwargs.get("tools"))
        is_call: bool | None = None if has_tools else False
        try:
            for piece in job:
                if is_call is None:
                    is_call = piece[0] in "{<"
                if is_call:
                    continue  # a call is handed over whole
                chunk = ChatGenerationChunk(message=AIMessageChunk(content=piece))
                if run_manager:
                    run_manager.on_llm_new_token(piece, chunk=chunk)
                yield chunk
            completion = job.result()
        finally:
            job.cancel()  # whoever stops iterating stops the model
        _, calls, broken = _understood(completion, bool(is_call))
        chunks = [
            tool_call_chunk(
                name=call["name"], args=json.dumps(call["args"], ensure_ascii=False), id=call["id"], index=i
            )
            for i, call in enumerate(calls)
        ]
        yield ChatGenerationChunk(
            message=AIMessageChunk(
                content=broken,  # as words: LangChain would complete half a call by guessing
                tool_call_chunks=chunks,
                usage_metadata=_usage(completion),
                response_metadata=self._metadata(completion),
                chunk_position="last",
            )
        )

    def _submit(self, messages: list[BaseMessage], stop: list[str] | None, kwargs: dict[str, Any]) -> Job:
        """Queue a conversation. ``kwargs``: ``tools``, ``tool_choice``, ``grammar``, ``max_tokens``."""
        tools, choice = kwargs.get("tools") or [], kwargs.get("tool_choice")
        if choice == "none":
            tools = []
        grammar = self._call_grammar(tools, choice) if tools else kwargs.get("grammar")
        return self.worker.submit(
            Request(
                prompt=self._prompt(messages, tools),
                max_tokens=kwargs.get("max_tokens", self.max_tokens),
                sampling=Sampling(self.temperature, self.top_k, self.top_p, self.seed),
                stop=tuple(stop or ()),
                grammar=grammar,
                logprobs=self.logprobs,
                deadline_s=self.deadline_s,
            )
        )

    def _template(self) -> str:
        template = self.worker.file.chat_template
        if template is None:
            raise ModelError(
                f"The model {self.worker.file.name!r} carries no chat template, so it was not made to "
                "answer. Choose an instruct model."
            )
        return template

    def _prompt(self, messages: Sequence[BaseMessage], tools: Sequence[dict[str, Any]]) -> str:
        template = self._template()
        plain = [_plain(message) for message in convert_to_openai_messages(messages, text_format="string")]
        if tools and "tools" not in template:
            listing = json.dumps([tool["function"] for tool in tools], ensure_ascii=False)
            said = plain.pop(0)["content"] + "\n\n" if plain and plain[0]["role"] == "system" else ""
            plain.insert(0, {"role": "system", "content": said + _PLAIN_TOOLS.format(tools=listing)})
        begin, end = self.worker.begin_end()
        return render(
            template,
            plain,
            special=self.worker.special_texts(),
            tools=tools,
            bos_token=begin,
            eos_token=end,
            enable_thinking=self.thinking,
        )

    def _call_grammar(self, tools: Sequence[dict[str, Any]], choice: str | None) -> str:
        functions = [tool["function"] for tool in tools]
        if choice in {function["name"] for function in functions}:
            functions = [function for function in functions if function["name"] == choice]
        calls = {"anyOf": [_call_schema(function) for function in functions]}
        marked = _OPENING.strip() in self._template()
        return tool_grammar(
            calls,
            opening=_OPENING if marked else "",
            closing=_CLOSING if marked else "",
            text=choice in (None, "auto"),
        )

    def _metadata(self, completion: Completion) -> dict[str, Any]:
        metadata: dict[str, Any] = {
            "finish_reason": completion.finish_reason,
            "model_name": self.worker.file.name,
            "ms": completion.ms,
        }
        if completion.logprobs is not None:
            metadata |= {"logprobs": list(completion.logprobs), "mean_logprob": completion.mean_logprob}
        return metadata


def _call_schema(function: dict[str, Any]) -> dict[str, Any]:
    """JSON Schema of a call of one function."""
    parameters = function.get("parameters") or {"type": "object", "properties": {}}
    if "$defs" in parameters:
        parameters = {k: v for k, v in dereference_refs(parameters).items() if k != "$defs"}
    return {
        "type": "object",
        "properties": {"name": {"const": function["name"]}, "arguments": parameters},
        "required": ["name", "arguments"],
    }


def _plain(message: dict[str, Any]) -> dict[str, Any]:
    """A message as chat templates expect it: content as text, arguments as objects."""
    content = message.get("content") or ""
    if not isinstance(content, str):
        raise ModelError("The local model reads text only; the conversation holds something else.")
    plain = {**message, "content": content}
    if calls := message.get("tool_calls"):
        plain["tool_calls"] = [
            {**call, "function": {**call["function"], "arguments": json.loads(call["function"]["arguments"])}}
            for call in calls
        ]
    return plain


def _understood(completion: Completion, may_call: bool) -> tuple[str, list[ToolCall], str]:
    """Words, whole tool calls, and the text of a call that was cut off."""
    text = completion.text
    if not may_call or text[:1] not in ("{", "<"):
        return text, [], ""
    calls: list[ToolCall] = []
    for part in text.split(_OPENING) if text.startswith("<") else [text]:
        body = part.strip().removesuffix(_CLOSING.strip()).strip()
        if not body:
            continue
        try:
            call = json.loads(body)
        except json.JSONDecodeError:
            return "", calls, body
        calls.append(tool_call(name=call["name"], args=call["arguments"], id=f"call_{uuid4().hex[:12]}"))
    return "", calls, ""


def _usage(completion: Completion) -> UsageMetadata:
    prompt, answer = completion.prompt_tokens, len(completion.tokens)
    return UsageMetadata(input_tokens=prompt, output_tokens=answer, total_tokens=prompt + answer)
