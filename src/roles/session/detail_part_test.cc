#include "roles/session/detail_part.h"

#include <gtest/gtest.h>

namespace muster::session {
namespace {

msg::PublishBatch::Op op(const std::string& id, std::size_t bytes = 10) {
    auto publication = std::make_shared<Publication>();
    publication->id = RegistId(id);
    publication->boxes = {std::string(bytes, 'x')};
    return {.id = publication->id, .service = {}, .publication = publication, .order = {}};
}

// Ids in the order in which all parts name them; counts the parts.
std::vector<RegistId> all_of(const std::vector<msg::PublishBatch::Op>& ops, std::size_t& parts) {
    std::vector<RegistId> named;
    RegistId after;
    for (bool more = true; more;) {
        DetailPart part(after);
        for (const auto& one : ops) {
            if (!part.full()) {
                part.offer(one);
            }
        }
        msg::SlotDetail detail;
        part.fill(detail);
        EXPECT_EQ(detail.after, after);
        EXPECT_LE(detail.publications.size(), DetailPart::kOpsMax);
        std::size_t bytes = 0;
        for (const auto& one : detail.publications) {
            EXPECT_LT(bytes, DetailPart::kBytesMax);
            bytes += content_bytes(*one.publication);
            named.push_back(one.id);
        }
        more = detail.more;
        EXPECT_TRUE(!more || !detail.publications.empty()) << "parts come to an end";
        after = named.empty() ? RegistId() : named.back();
        ++parts;
    }
    return named;
}

TEST(DetailPart, OfLittleIsAllThereIs) {
    std::size_t parts = 0;
    EXPECT_TRUE(all_of({}, parts).empty());
    EXPECT_EQ(all_of({op("a"), op("b")}, parts), (std::vector{RegistId("a"), RegistId("b")}));
    EXPECT_EQ(parts, 2U);
}

TEST(DetailPart, PartsNameEverythingOnceAndInOrder) {
    std::vector<msg::PublishBatch::Op> ops;
    for (std::size_t i = 0; i < 3 * DetailPart::kOpsMax; ++i) {
        ops.push_back(op(std::to_string((i * 7919) % 100'003)));
    }
    std::ranges::sort(ops, {}, &msg::PublishBatch::Op::id);
    std::size_t parts = 0;
    const auto named = all_of(ops, parts);
    EXPECT_EQ(parts, 3U);
    EXPECT_EQ(named.size(), ops.size());
    EXPECT_TRUE(std::ranges::is_sorted(named));
}

TEST(DetailPart, IsBoundedInBytes) {
    std::vector<msg::PublishBatch::Op> ops;
    for (int i = 0; i < 10; ++i) {
        ops.push_back(op(std::to_string(i), DetailPart::kBytesMax / 2));
    }
    ops.push_back(op("large", 5 * DetailPart::kBytesMax));
    std::size_t parts = 0;
    EXPECT_EQ(all_of(ops, parts).size(), 11U);
    EXPECT_EQ(parts, 6U);
}

}  // namespace
}  // namespace muster::session
