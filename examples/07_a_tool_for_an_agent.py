"""Give the knowledge base to a langchain agent as a tool.

The model here follows a script, so that this runs offline; put a real one in its place,
``create_agent("openai:gpt-4o-mini", [tool])``.
"""

from langchain.agents import create_agent
from langchain_core.language_models.fake_chat_models import FakeMessagesListChatModel
from langchain_core.messages import AIMessage

from merl import KnowledgeIndex


class Script(FakeMessagesListChatModel):
    """Says its lines, whatever the tools."""

    def bind_tools(self, tools, **_):
        return self


tool = KnowledgeIndex.default().as_tool(k=3)
question = "irregular RR intervals without P waves"
lookup = {"name": tool.name, "args": {"query": question}, "id": "1", "type": "tool_call"}
script = Script(responses=[AIMessage("", tool_calls=[lookup]), AIMessage("Atrial fibrillation [ecg:AFIB].")])

agent = create_agent(script, [tool])
for message in agent.invoke({"messages": [("human", f"What shows {question}?")]})["messages"]:
    print(f"{message.type}: {message.text or 'looks it up'}")
