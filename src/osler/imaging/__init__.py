"""Pictures and signals: DICOM, PNG, JPEG and ECGs in; previews, measurements, and models learned from labels, out.

It looks at pixels only where a model that was measured for it exists, and says so where none does.
"""
