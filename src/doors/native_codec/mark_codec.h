#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "doors/native_codec/native_codec.h"
#include "msg/client_mark.h"

// MarkRequest and MarkReply of the native protocol, for both ends. Pure functions; any thread.
namespace muster::native {

inline constexpr std::string_view kMarkClass = "muster.v1.MarkRequest";
inline constexpr std::string_view kMarkReplyClass = "muster.v1.MarkReply";

[[nodiscard]] std::string encode(const msg::MarkWish& wish);
[[nodiscard]] std::string encode(const msg::MarkOutcome& outcome);

// Errors of both: as decode_request(). What is longer than may be waited for is as the door says.
[[nodiscard]] Result<msg::MarkWish> decode_mark_request(std::string_view bytes,
                                                        msg::RequestId request,
                                                        const CodecLimits& limits);
[[nodiscard]] Result<msg::MarkOutcome> decode_mark_reply(std::string_view bytes,
                                                         msg::RequestId request,
                                                         const CodecLimits& limits);

}  // namespace muster::native
