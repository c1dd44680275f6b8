#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "apps/load/java_frames.h"
#include "base/check.h"
#include "wire/bolt/frame_decoder.h"
#include "wire/hessian/bean.h"
#include "wire/hessian/reader.h"

// The first byte chooses between a push and an answer, the rest are its content.
namespace muster::load {
namespace {

// So that what is said again is within the reader's limits.
constexpr std::size_t kSaidAgainMax = 1000;

bolt::Frame frame_in(const std::string& bytes) {
    const auto decoded = bolt::decode_frame(bytes, {});
    CHECK(decoded.outcome == bolt::Decode::message);
    CHECK(decoded.size == bytes.size());
    return decoded.frame;
}

std::size_t cost(const std::vector<std::string>& boxes) {
    std::size_t bytes = boxes.size() * sizeof(std::string);
    for (const std::string& box : boxes) {
        bytes += box.size();
    }
    return bytes;
}

// Who registers what was pushed says the same.
void check_said_again(const JavaPush& told) {
    const std::string bytes = java_publisher({.service = told.service, .id = "x"}, told.boxes);
    const auto read = hessian::read_value(frame_in(bytes).content);
    CHECK(read.has_value());
    const hessian::RefIndex refs(read->value);
    const hessian::Bean bean(refs, read->value);
    CHECK(bean.text("instanceId") == told.service.tenant);
    CHECK(bean.text("group") == told.service.group);
    CHECK(bean.text("dataId") == told.service.data_id);
    hessian::Budget budget(kPushBoxesBytesMax, "boxes");
    std::vector<std::string> boxes;
    CHECK(append_texts(refs, bean.find("dataList"), "data", budget, boxes).has_value());
    CHECK(boxes == told.boxes);
}

void check_push(std::string_view content) {
    bolt::Frame push;
    push.head.request_id = 7;
    push.content = content;
    const auto told = java_push(push);
    if (!told) {
        const Errc code = told.error().code;
        CHECK(code == Errc::bad_content || code == Errc::too_large);
        return;
    }
    CHECK(cost(told->boxes) <= kPushBoxesBytesMax);
    if (told->boxes.size() <= kSaidAgainMax) {
        check_said_again(*told);
    }
    const std::string ack = java_ack(push);
    CHECK(frame_in(ack).head.request_id == push.head.request_id);
    CHECK(java_answer(frame_in(ack)).has_value());
}

void check_answer(std::string_view content) {
    bolt::Frame response;
    response.head.status = bolt::Status::success;
    response.content = content;
    if (const auto answer = java_answer(response); !answer) {
        const Errc code = answer.error().code;
        CHECK(code == Errc::refused || code == Errc::bad_content || code == Errc::too_large);
    }
}

}  // namespace
}  // namespace muster::load

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const std::string_view content(reinterpret_cast<const char*>(data) + 1, size - 1);
    if (data[0] % 2 == 0) {
        muster::load::check_push(content);
    } else {
        muster::load::check_answer(content);
    }
    return 0;
}
