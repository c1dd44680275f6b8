#include "runtime/links/hello.h"

#include <algorithm>

#include "msg/codec/archive.h"
#include "msg/codec/reader.h"
#include "msg/codec/writer.h"

namespace muster::runtime {
namespace {

using msg::codec::Of;

constexpr std::string_view kMagic = "MSTL";
constexpr std::size_t kSentenceBytesMax = 1024;
constexpr std::size_t kNodeIdBytesMax = 255;
constexpr std::size_t kMemoryMax = std::size_t{4} * kHandshakeFrameMax;

}  // namespace

// Found by the archives through the structs' namespace.
template <class Ar>
void fields(Ar& ar, Of<Ar, LinkHello> it) {
    auto& [version_min, version_max, cluster, node, folder, incarnation, peer_address, nonce] = it;
    ar(version_min, version_max, cluster, node, folder, incarnation, peer_address, nonce);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, LinkRefusal> it) {
    auto& [reason, sentence] = it;
    auto number = static_cast<std::uint8_t>(reason);
    ar(number, sentence);
    if constexpr (Ar::kReads) {
        reason =
            number < kRefusalReasons ? static_cast<RefusalReason>(number) : RefusalReason::other;
    }
}

std::string encode_hello(const LinkHello& hello) {
    std::string out(kMagic);
    msg::codec::Writer writer(out);
    writer(hello);
    return out;
}

Result<LinkHello> decode_hello(std::string_view bytes) {
    if (!bytes.starts_with(kMagic)) {
        return fail(Errc::bad_frame, "not the hello of a node");
    }
    LinkHello hello;
    msg::codec::Reader reader(bytes.substr(kMagic.size()), kMemoryMax);
    reader(hello);
    if (!reader.ok()) {
        return std::unexpected(reader.fault());
    }
    const bool is_named = !hello.node.raw().empty() && hello.node.raw().size() <= kNodeIdBytesMax;
    if (!is_named || hello.nonce.size() != kNonceBytes || hello.version_min > hello.version_max) {
        return fail(Errc::bad_content, "a hello without a name, nonce or version");
    }
    return hello;
}

std::string_view to_string(RefusalReason reason) {
    switch (reason) {
        case RefusalReason::other: return "other";
        case RefusalReason::version: return "version";
        case RefusalReason::cluster: return "cluster";
        case RefusalReason::secret: return "secret";
        case RefusalReason::own_id: return "own_id";
        case RefusalReason::id_in_use: return "id_in_use";
        case RefusalReason::older_life: return "older_life";
        case RefusalReason::other_node: return "other_node";
        case RefusalReason::over_limit: return "over_limit";
        case RefusalReason::bad_hello: return "bad_hello";
    }
    return "other";
}

std::string encode_refusal(const LinkRefusal& refusal) {
    std::string out;
    msg::codec::Writer writer(out);
    writer(LinkRefusal{.reason = refusal.reason,
                       .sentence = refusal.sentence.substr(0, kSentenceBytesMax)});
    return out;
}

LinkRefusal decode_refusal(std::string_view bytes) {
    LinkRefusal refusal;
    msg::codec::Reader reader(bytes, kMemoryMax);
    reader(refusal);
    if (!reader.ok()) {
        return {.reason = RefusalReason::other, .sentence = "(the reason cannot be read)"};
    }
    refusal.sentence.resize(std::min(refusal.sentence.size(), kSentenceBytesMax));
    std::ranges::replace_if(
        refusal.sentence, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; },
        ' ');
    return refusal;
}

}  // namespace muster::runtime
