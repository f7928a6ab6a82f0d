"""The index behind langchain-core's retriever interface, for chains built outside this package."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import BaseTool, StructuredTool, ToolException
from pydantic import field_validator

from merl.errors import UsageError
from merl.knowledge.index import KnowledgeIndex


class KnowledgeRetriever(BaseRetriever):
    """Answers a query with the best entries, one document each.

    A document's text is the passage that matched; its metadata are the other fields of the hit.
    """

    index: KnowledgeIndex
    k: int = 5

    @field_validator("k")
    @classmethod
    def _some(cls, k: int) -> int:
        if k < 1:
            raise UsageError(f"k is {k}; a search needs k of 1 or more")
        return k

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        found = [asdict(hit) for hit in self.index.search(query, self.k)]
        return [Document(page_content=hit.pop("text"), metadata=hit) for hit in found]


def knowledge_tool(retriever: KnowledgeRetriever) -> BaseTool:
    """Make a tool of a retriever: it answers a query with passages, each after the id of its entry."""

    def search_ecg_knowledge(query: Annotated[str, "a name, a code or a description"]) -> str:
        try:
            found = retriever.invoke(query)
        except UsageError as problem:
            raise ToolException(str(problem)) from None
        return "\n\n".join(f"[{item.metadata['id']}] {item.page_content}" for item in found)

    return StructuredTool.from_function(
        search_ecg_knowledge,
        description="Looks up what a 12-lead ECG shows in a condition, or which condition a finding speaks"
        " for: give a name, a code or a description. Answers with passages of a knowledge base that was not"
        " reviewed by a clinician; cite the ids in brackets.",
        handle_tool_error=True,
    )
