"""The hybrid index as a LangChain retriever."""

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict, SkipValidation

from indexes.chunk_table import Filter
from indexes.index import Mode, PassageIndex


class NoteRetriever(BaseRetriever):
    """Returns chunks as documents whose metadata is all that a citation needs.

    Attributes:
        index: an opened index.
        mode: keyword, dense or hybrid.
        k: how many documents.
        where: what may be searched.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    index: SkipValidation[PassageIndex]
    mode: Mode = "hybrid"
    k: int = 10
    where: SkipValidation[Filter] = Filter()

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        return [
            Document(
                page_content=hit.text,
                metadata={
                    "kind": hit.kind,
                    "source_id": hit.source_id,
                    "start": hit.start,
                    "end": hit.end,
                    "section": hit.section,
                    "score": hit.score,
                    "subject_id": hit.subject_id,
                    "hadm_id": hit.hadm_id,
                    "charttime": hit.charttime,
                    "note_type": hit.note_type,
                    "title": hit.title,
                },
            )
            for hit in self.index.search(query, mode=self.mode, k=self.k, where=self.where)
        ]
