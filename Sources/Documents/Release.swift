/// The version of this program, as its files and answers name it.
public enum Release {
    /// By Semantic Versioning.
    public static let version = "0.1.0"
}
