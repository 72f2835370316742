"""What runs in a peer's process: a template of the largest face, as the peer's users get it.

A script reads paths of array files (BGR) from stdin, one a line, and answers each with a line of
JSON: ``ms`` from image to template, ``template``, null where it finds no face.
"""

_LOOP = """
import json, sys, time
import numpy
def serve(look):
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        image = numpy.load(line.rstrip("\\n"))
        start = time.perf_counter()
        found = look(image)
        ms = (time.perf_counter() - start) * 1000
        found = None if found is None else [float(value) for value in numpy.ravel(found)]
        print(json.dumps({"ms": ms, "template": found}), flush=True)
"""

FACE_RECOGNITION = (
    _LOOP
    + """
import face_recognition
def look(image):
    image = numpy.ascontiguousarray(image[:, :, ::-1])
    boxes = face_recognition.face_locations(image)
    if not boxes:
        return None
    largest = max(boxes, key=lambda box: box[2] - box[0])
    return face_recognition.face_encodings(image, [largest])[0]
serve(look)
"""
)

_YUNET = (
    _LOOP
    + """
import cv2
cv2.setNumThreads(1)
told = json.loads(sys.argv[1])
detector = cv2.FaceDetectorYN.create(told["detector"], "", (320, 320))
def largest(image):
    detector.setInputSize((image.shape[1], image.shape[0]))
    faces = detector.detect(image)[1]
    return None if faces is None else max(faces, key=lambda face: face[2])
"""
)

OPENCV_SFACE = (
    _YUNET
    + """
recogniser = cv2.FaceRecognizerSF.create(told["embedder"], "")
def look(image):
    face = largest(image)
    if face is None:
        return None
    return recogniser.feature(recogniser.alignCrop(image, face))
serve(look)
"""
)

OPENCV_EMBEDDER = (
    _YUNET
    + """
network = cv2.dnn.readNet(told["embedder"])
points = numpy.float32(told["points"])
def look(image):
    face = largest(image)
    if face is None:
        return None
    onto, _ = cv2.estimateAffinePartial2D(face[4:14].reshape(5, 2), points, method=cv2.LMEDS)
    if onto is None:
        return None
    chip = cv2.warpAffine(image, onto, tuple(told["size"])).astype(numpy.float32)
    if told["channels"] == "rgb":
        chip = chip[:, :, ::-1]
    chip = (chip - numpy.float32(told["mean"])) * numpy.float32(told["scale"])
    network.setInput(numpy.ascontiguousarray(chip.transpose(2, 0, 1)[None]))
    return network.forward()
serve(look)
"""
)

INSIGHTFACE = (
    _LOOP
    + """
import contextlib
told = json.loads(sys.argv[1])
with contextlib.redirect_stdout(sys.stderr):
    from insightface.app import FaceAnalysis
    app = FaceAnalysis(told["name"], root=told["root"], providers=["CPUExecutionProvider"],
        allowed_modules=["detection", "recognition"])
    app.prepare(ctx_id=-1)
def look(image):
    faces = app.get(image)
    if not faces:
        return None
    return max(faces, key=lambda face: face.bbox[2] - face.bbox[0]).normed_embedding
serve(look)
"""
)

DEEPFACE = (
    _LOOP
    + """
import contextlib
told = json.loads(sys.argv[1])
with contextlib.redirect_stdout(sys.stderr):
    from deepface import DeepFace
def look(image):
    try:
        with contextlib.redirect_stdout(sys.stderr):
            faces = DeepFace.represent(image, model_name=told["model"])
    except ValueError:
        return None
    return max(faces, key=lambda face: face["facial_area"]["w"])["embedding"]
serve(look)
"""
)
