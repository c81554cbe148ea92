# Writes reference.jsonl: python3 make.py FOLDER_OF_THE_ORIGINAL_MODEL > reference.jsonl
import base64
import json
import sys

import torch
from sentence_transformers import SentenceTransformer

from texts import texts

torch.set_num_threads(1)
model = SentenceTransformer(sys.argv[1], device="cpu").float().eval()
assert model.max_seq_length == 256
tokenizer = model.tokenizer
for kind, text in texts():
    ids = tokenizer(text, truncation=False, padding=False)["input_ids"]
    assert len(ids) <= 256, (len(ids), text)
    # One text a batch: no padding, so that the reference does not depend on its neighbours.
    vector = model.encode([text], batch_size=1, convert_to_numpy=True, normalize_embeddings=True)[0]
    print(json.dumps({"kind": kind, "text": text, "ids": ids,
                      "embedding": base64.b64encode(vector.astype("<f4").tobytes()).decode()},
                     ensure_ascii=False))
