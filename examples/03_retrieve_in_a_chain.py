"""Use the knowledge base as the retriever of a langchain chain: what is known goes into a model's prompt.

The last step stands in for a language model and shows what it was asked, so that this runs offline. Put a
real one in its place, ``init_chat_model("openai:gpt-4o-mini")``.
"""

from langchain_core.documents import Document
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda, RunnablePassthrough

from merl import KnowledgeIndex


def as_context(documents: list[Document]) -> str:
    """Write each passage with the entry it comes from."""
    return "\n".join(f"[{document.metadata['id']}] {document.page_content}" for document in documents)


retriever = KnowledgeIndex.default().as_retriever(k=3)
prompt = ChatPromptTemplate.from_messages(
    [
        (
            "system",
            "Answer from these passages of an ECG knowledge base alone, and cite their ids:\n{context}",
        ),
        ("human", "{question}"),
    ]
)
model = RunnableLambda(lambda asked: asked.to_string())
chain = {"context": retriever | as_context, "question": RunnablePassthrough()} | prompt | model

print(chain.invoke("irregular RR intervals without P waves"))
