"""The index behind langchain-core's retriever interface, for chains built outside this package."""

from __future__ import annotations

from dataclasses import asdict

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.prompts import PromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import BaseTool, create_retriever_tool
from pydantic import Field

from merl.knowledge.index import KnowledgeIndex


class KnowledgeRetriever(BaseRetriever):
    """Answers a query with the best entries, one document each.

    A document's text is the passage that matched; its metadata are the other fields of the hit.
    """

    index: KnowledgeIndex
    k: int = Field(5, ge=1)

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        found = [asdict(hit) for hit in self.index.search(query, self.k)]
        return [Document(page_content=hit.pop("text"), metadata=hit) for hit in found]


def knowledge_tool(retriever: KnowledgeRetriever) -> BaseTool:
    """Make a tool of a retriever: it answers a query with passages, each after the id of its entry."""
    return create_retriever_tool(
        retriever,
        "search_ecg_knowledge",
        "Looks up what a 12-lead ECG shows in a condition, or which condition a finding speaks for: give a"
        " name, a code or a description. Answers with passages of a knowledge base that was not reviewed by"
        " a clinician; cite the ids in brackets.",
        document_prompt=PromptTemplate.from_template("[{id}] {page_content}"),
    )
