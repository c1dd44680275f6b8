#include "wire/golden/golden_vectors.h"

#include <charconv>

#include <gtest/gtest.h>

#include "base/prng.h"
#include "wire/bolt/frame_decoder.h"
#include "wire/bolt/frame_encoder.h"
#include "wire/hessian/reader.h"
#include "wire/hessian/writer.h"

namespace muster::golden {
namespace {

using bolt::Decode;

std::vector<Vector> vectors() {
    auto read = read_vectors(folder(MUSTER_SOURCE_ROOT));
    EXPECT_TRUE(read.has_value()) << to_string(read.error());
    return *std::move(read);
}

std::vector<Stream> streams() {
    auto read = read_streams(folder(MUSTER_SOURCE_ROOT));
    EXPECT_TRUE(read.has_value()) << to_string(read.error());
    return *std::move(read);
}

bolt::Frame frame_of(const Vector& vector) {
    const auto decoded = bolt::decode_frame(vector.bytes, {});
    EXPECT_EQ(decoded.outcome, Decode::message) << vector.name << decoded.why;
    EXPECT_EQ(decoded.size, vector.bytes.size()) << vector.name;
    return decoded.frame;
}

std::string_view content_of(const Vector& vector) {
    return vector.is_frame ? frame_of(vector).content : std::string_view(vector.bytes);
}

// Content decoded and encoded again, or what went wrong.
std::string again(std::string_view content) {
    const auto read = hessian::read_value(content);
    if (!read) {
        return to_string(read.error());
    }
    if (read->size != content.size()) {
        return "trailing bytes";
    }
    return hessian::write_value(read->value);
}

TEST(GoldenVectors, AreThere) {
    EXPECT_GE(vectors().size(), 190U);
    EXPECT_GE(streams().size(), 10U);
}

TEST(GoldenVectors, HaveTheHeadersTheirJsonTells) {
    for (const Vector& vector : vectors()) {
        if (!vector.is_frame) {
            continue;
        }
        const bolt::Frame frame = frame_of(vector);
        EXPECT_EQ(frame.head, vector.head) << vector.name;
        EXPECT_EQ(frame.class_name, vector.class_name) << vector.name;
        EXPECT_EQ(frame.header_section, "") << vector.name;
        EXPECT_EQ(frame.content.size(), vector.content_bytes) << vector.name;
        EXPECT_EQ(frame.content.data() - vector.bytes.data(), vector.content_offset) << vector.name;
        EXPECT_EQ(frame.head.has_crc(), !vector.crc32.empty()) << vector.name;
        std::string encoded;
        bolt::append_frame(encoded, frame);
        EXPECT_EQ(encoded, vector.bytes) << vector.name;
    }
}

TEST(GoldenVectors, MeanWhatTheirJsonTells) {
    for (const Vector& vector : vectors()) {
        const std::string_view content = content_of(vector);
        ASSERT_EQ(vector.has_body, !content.empty()) << vector.name;
        if (content.empty()) {
            continue;
        }
        const auto read = hessian::read_value(content);
        ASSERT_TRUE(read.has_value()) << vector.name << ": " << to_string(read.error());
        EXPECT_EQ(read->size, content.size()) << vector.name;
        if (vector.is_throwable) {
            const auto* thrown = read->value.get<hessian::Object>();
            ASSERT_NE(thrown, nullptr) << vector.name;
            EXPECT_EQ(thrown->shape->name.units, vector.throwable_class) << vector.name;
            EXPECT_EQ(thrown->find("detailMessage")->get<hessian::Text>()->units,
                      vector.throwable_message)
                << vector.name;
        } else {
            EXPECT_TRUE(read->value == vector.body) << vector.name;
        }
    }
}

TEST(GoldenVectors, AreWrittenAsJavaWritesThem) {
    for (const Vector& vector : vectors()) {
        const std::string_view content = content_of(vector);
        if (content.empty()) {
            continue;
        }
        EXPECT_TRUE(again(content) == content) << vector.name;
        if (!vector.is_throwable) {
            EXPECT_TRUE(hessian::write_value(vector.body) == content) << vector.name;
        }
    }
}

TEST(GoldenVectors, SurviveTheWayThroughOrdinaryUtf8) {
    for (const Vector& vector : vectors()) {
        const auto* value = vector.body.get<hessian::Text>();
        if (value != nullptr) {
            EXPECT_EQ(hessian::text_of(hessian::to_wtf8(*value)), *value) << vector.name;
        }
    }
}

TEST(GoldenVectors, AreNeedMoreWhereverTheyAreCut) {
    for (const Vector& vector : vectors()) {
        if (!vector.is_frame) {
            continue;
        }
        const std::size_t step = vector.bytes.size() > 4096 ? vector.bytes.size() / 64 : 1;
        for (std::size_t size = 0; size < vector.bytes.size(); size += step) {
            const auto decoded = bolt::decode_frame(std::string_view(vector.bytes).substr(0, size),
                                                    bolt::FrameLimits{});
            ASSERT_EQ(decoded.outcome, Decode::need_more) << vector.name << " at " << size;
        }
    }
}

TEST(GoldenVectors, AreRefusedWhenTheirContentIsCut) {
    for (const Vector& vector : vectors()) {
        const std::string_view content = content_of(vector);
        const std::size_t step = content.size() > 4096 ? content.size() / 64 : 1;
        for (std::size_t size = 0; size < content.size(); size += step) {
            const auto read = hessian::read_value(content.substr(0, size));
            ASSERT_FALSE(read.has_value()) << vector.name << " at " << size;
            EXPECT_EQ(read.error().code, Errc::bad_content);
        }
    }
}

TEST(GoldenVectors, AreRefusedByTheirCrcWhenABitFlips) {
    for (const Vector& vector : vectors()) {
        if (vector.crc32.empty()) {
            continue;
        }
        for (std::size_t at = vector.content_offset; at < vector.bytes.size(); ++at) {
            std::string flipped = vector.bytes;
            flipped[at] = static_cast<char>(flipped[at] ^ 1);
            ASSERT_EQ(bolt::decode_frame(flipped, {}).outcome, Decode::broken)
                << vector.name << " at " << at;
        }
    }
}

TEST(GoldenVectors, FlippedAreRefusedOrReadAsAnotherGoodValue) {
    Prng prng(2);
    for (const Vector& vector : vectors()) {
        std::string content(content_of(vector));
        if (content.empty() || content.size() > 20'000) {
            continue;
        }
        for (int round = 0; round < 50; ++round) {
            std::string flipped = content;
            const std::size_t at = prng.below(flipped.size());
            flipped[at] = static_cast<char>(flipped[at] ^ (1 << prng.below(8)));
            if (const auto read = hessian::read_value(flipped)) {
                const std::string written = hessian::write_value(read->value);
                const auto reread = hessian::read_value(written);
                ASSERT_TRUE(reread.has_value()) << vector.name << " at " << at;
                EXPECT_TRUE(reread->value == read->value) << vector.name << " at " << at;
            }
        }
    }
}

// Every frame of a stream that is fed in pieces of `piece` bytes, encoded again.
std::string replay(const Stream& stream, std::size_t piece) {
    bolt::FrameReader reader{{}};
    std::string out;
    for (std::size_t at = 0; at < stream.bytes.size(); at += piece) {
        const std::string bytes = stream.bytes.substr(at, piece);
        reader.feed(bytes);
        bolt::DecodedFrame decoded = reader.next();
        for (; decoded.outcome == Decode::message; decoded = reader.next()) {
            bolt::Frame frame = decoded.frame;
            const std::string content = frame.content.empty() ? "" : again(frame.content);
            frame.content = content;
            bolt::append_frame(out, frame);
        }
        EXPECT_EQ(decoded.outcome, Decode::need_more) << stream.name << decoded.why;
    }
    EXPECT_EQ(reader.buffered(), 0U) << stream.name;
    return out;
}

TEST(RecordedConversations, ReplayByteForByte) {
    for (const Stream& stream : streams()) {
        EXPECT_TRUE(replay(stream, stream.bytes.size()) == stream.bytes) << stream.name;
        EXPECT_TRUE(replay(stream, 1460) == stream.bytes) << stream.name;
    }
}

TEST(RecordedConversations, ReplayByteForByteWhenBytesArriveOneByOne) {
    for (const Stream& stream : streams()) {
        EXPECT_TRUE(replay(stream, 1) == stream.bytes) << stream.name;
    }
}

}  // namespace
}  // namespace muster::golden
