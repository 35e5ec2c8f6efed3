// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title The canonical intents: the protocol's, and CODE_GENERATION, our own.
library Intents {
    /// @notice Their names, in the protocol's order.
    function all() internal pure returns (string[] memory names) {
        names = new string[](35);
        names[0] = "LANGUAGE_GENERATION";
        names[1] = "CHAT_COMPLETION";
        names[2] = "TEXT_GENERATION";
        names[3] = "TASK_COMPLETION";
        names[4] = "AGENT_TASK";
        names[5] = "WEB_SEARCH";
        names[6] = "NEWS_SEARCH";
        names[7] = "RESEARCH_SYNTHESIS";
        names[8] = "FACT_CHECK";
        names[9] = "AI_TEXT_DETECTION";
        names[10] = "CONTENT_VERIFICATION";
        names[11] = "CONTENT_MODERATION";
        names[12] = "TEXT_CLASSIFICATION";
        names[13] = "CONTENT_EXTRACTION";
        names[14] = "LANGUAGE_TRANSLATION";
        names[15] = "SENTIMENT_ANALYSIS";
        names[16] = "WEATHER_CHECK";
        names[17] = "WEATHER_FORECAST";
        names[18] = "STORM_ALERT";
        names[19] = "CRYPTO_PRICE";
        names[20] = "STOCK_PRICE";
        names[21] = "TVL_LOOKUP";
        names[22] = "GAS_PRICE";
        names[23] = "WEATHER_RISK_ASSESSMENT";
        names[24] = "MULTIMODAL_INFERENCE";
        names[25] = "IMAGE_GENERATION";
        names[26] = "TEXT_TO_IMAGE";
        names[27] = "TWITTER_SEARCH";
        names[28] = "TEXT_AUTHENTICITY_CHECK";
        names[29] = "HIGH_PERFORMANCE_INFERENCE";
        names[30] = "DEEPFAKE_DETECTION";
        names[31] = "IMAGE_VERIFICATION";
        names[32] = "VIDEO_VERIFICATION";
        names[33] = "MEDIA_AUTHENTICITY_CHECK";
        names[34] = "CODE_GENERATION";
    }
}
