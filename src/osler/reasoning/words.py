"""What an answer says in its own words, in the question's language. It decides nothing."""

from osler.text import Language

WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "nothing": "nothing in the library speaks to this question",
        "outside": "this lies outside what the library covers",
        "nothing_context": "the given text does not speak to this question",
        "weak": "what was found does not answer the question well enough",
        "tie": "the evidence does not favour one option clearly",
        "none_supported": "no statement that the model wrote is supported by the passages",
        "choice_alone": "The model holds {choice} for likeliest; no passage was found that speaks for it.",
        "unsure": "answers with and without evidence do not agree enough",
        "missing_terms": "passages about {terms}",
        "missing_option": "evidence that tells the options apart",
        "missing_any": "documents on this topic (osler ingest adds them)",
    },
    "zh": {
        "nothing": "资料库中没有与此问题相关的内容",
        "outside": "此问题超出资料库的范围",
        "nothing_context": "所给文本未涉及此问题",
        "weak": "找到的内容不足以回答此问题",
        "tie": "证据不能明确支持某一选项",
        "none_supported": "模型写出的陈述均未得到文献支持",
        "choice_alone": "模型认为{choice}最有可能，但未找到支持该选项的资料。",
        "unsure": "有无文献支持的回答不够一致",
        "missing_terms": "关于{terms}的资料",
        "missing_option": "能区分各选项的证据",
        "missing_any": "有关此主题的文献（可用 osler ingest 添加）",
    },
}
