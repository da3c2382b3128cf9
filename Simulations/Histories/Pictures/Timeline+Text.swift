extension Timeline {
  /// The picture: one SVG document without scripts, fonts or links, 1200 pixels wide.
  package var svg: String { TimelinePicture.svg(of: self) }

  /// A page around the picture with its figures, which needs nothing else to be read.
  package var html: String { TimelinePage.html(of: self) }
}
